// What a hostile program tries in Python. `call` makes a system call by its number on x64 and on arm64, and says what the
// kernel said; `opens` and `does` say ESCAPED where something works that must not.

import type { Corpus } from './program.ts'
import { systemCalls } from './python-system-call.ts'

/** Runs first in every interpreter. */
export const pythonPrelude = `
import ctypes, errno, os, platform, socket
libc = ctypes.CDLL(None, use_errno=True)
x64 = platform.machine() == 'x86_64'
def call(x, a, *values):
    result = libc.syscall(ctypes.c_long(x if x64 else a), *values)
    code = ctypes.get_errno()
    print('ESCAPED' if result >= 0 else errno.errorcode.get(code, code))
def opens(path, mode='rb'):
    try:
        with open(path, mode) as file:
            print('ESCAPED', path, file.read(80) if 'r' in mode else '')
    except OSError as error:
        print('refused', errno.errorcode[error.errno])
def does(act):
    try:
        print('ESCAPED', act())
    except OSError as error:
        print('refused', errno.errorcode[error.errno])
`

const refused = /refused E[A-Z]+/
const denied = /\bEPERM\b/

export const python: Corpus = {
  language: 'python',
  programs: [
    // the host's files
    { name: 'reads /etc/shadow', code: `opens('/etc/shadow')`, says: refused },
    { name: 'reads /etc/passwd', code: `opens('/etc/passwd')`, says: refused },
    { name: 'reads a file of the host', code: `opens('%FILE%')`, says: refused },
    { name: 'reads it through /proc/1/root', code: `opens('/proc/1/root%FILE%')`, says: refused },
    { name: 'reads it through its parents', code: `opens('../../../../..%FILE%')`, says: refused },
    { name: 'lists the home of root', code: `does(lambda: os.listdir('/root'))`, says: refused },
    { name: 'lists /sys', code: `does(lambda: os.listdir('/sys'))`, says: refused },
    { name: 'writes below /usr', code: `opens('/usr/bin/evil', 'wb')`, says: refused },
    { name: 'writes beside /usr', code: `opens('/evil', 'wb')`, says: refused },
    { name: 'writes into /dev', code: `opens('/dev/evil', 'wb')`, says: refused },
    { name: 'replaces the linker cache', code: `opens('/etc/ld.so.cache', 'wb')`, says: refused },
    { name: 'reads the memory of the machine', code: `opens('/dev/mem'); opens('/proc/kcore')`, says: refused },
    { name: 'reads the disk', code: `opens('/dev/sda'); opens('/dev/vda')`, says: refused },
    { name: 'reads the log of the kernel', code: `opens('/dev/kmsg'); opens('/proc/kmsg')`, says: refused },
    { name: 'pulls the emergency brake', code: `opens('/proc/sysrq-trigger', 'wb')`, says: refused },
    { name: 'sets the program for core dumps', code: `opens('/proc/sys/kernel/core_pattern', 'wb')`, says: refused },
    { name: 'makes a device', code: `does(lambda: os.mknod('disk', 0o60666, os.makedev(254, 0)))`, says: refused },
    // what it inherited
    {
      name: 'reads the environment of the first process',
      code: `print(open('/proc/1/environ').read())`,
      says: /HOME=\/tmp/,
    },
    { name: 'reads its own environment', code: `print(dict(os.environ))`, says: /'HOME': '\/tmp'/ },
    {
      name: 'reads the arguments of all processes',
      code: `[print(open(f'/proc/{p}/cmdline').read()) for p in os.listdir('/proc') if p.isdigit()]`,
      says: /bwrap/,
    },
    {
      name: 'looks for descriptors of the host',
      code: `print('ESCAPED' if any(os.readlink(f'/proc/self/fd/{fd}').startswith('%FOLDER%') for fd in os.listdir('/proc/self/fd') if os.path.lexists(f'/proc/self/fd/{fd}')) else 'none')`,
      says: /none/,
    },
    // other processes
    {
      name: 'sees processes of the host',
      code: `print('ESCAPED' if len([p for p in os.listdir('/proc') if p.isdigit()]) > 8 else 'few')`,
      says: /few/,
    },
    { name: 'signals this process', code: `does(lambda: os.kill(%PID%, 9))`, says: /refused ESRCH/ },
    {
      name: 'signals the first process',
      code: `os.kill(1, 9); print('it lives', os.path.exists('/proc/1'))`,
      says: /it lives True/,
    },
    { name: 'traces the first process', code: `call(101, 117, 16, 1, 0, 0)`, says: denied },
    { name: 'reads the memory of another', code: `call(310, 270, 1, 0, 0, 0, 0, 0)`, says: denied },
    { name: 'writes the memory of another', code: `call(311, 271, 1, 0, 0, 0, 0, 0)`, says: denied },
    { name: 'takes a descriptor of another', code: `call(438, 438, 0, 1, 0)`, says: denied },
    { name: 'compares itself with another', code: `call(312, 272, 1, 1, 0, 0, 0)`, says: denied },
    // network
    {
      name: 'connects to a server of the host',
      code: `does(lambda: socket.create_connection(('127.0.0.1', %PORT%), 1))`,
      says: /refused ECONNREFUSED/,
    },
    {
      name: 'connects to the network',
      code: `does(lambda: socket.create_connection(('192.0.2.1', 80), 1))`,
      says: /refused ENETUNREACH/,
    },
    {
      name: 'connects to the address of metadata',
      code: `does(lambda: socket.create_connection(('169.254.169.254', 80), 1))`,
      says: /refused ENETUNREACH/,
    },
    {
      name: 'sends a datagram',
      code: `does(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53)))`,
      says: /refused ENETUNREACH/,
    },
    {
      name: 'resolves a name',
      code: `does(lambda: socket.gethostbyname('example.org')) if False else print('ESCAPED' if __import__('subprocess').run(['getent', 'hosts', 'example.org']).returncode == 0 else 'unknown')`,
      says: /unknown/,
    },
    {
      name: 'connects to an abstract socket',
      code: `does(lambda: socket.socket(socket.AF_UNIX).connect('\\0%ABSTRACT%'))`,
      says: /refused ECONNREFUSED/,
    },
    {
      name: 'connects to a socket by its path',
      code: `does(lambda: socket.socket(socket.AF_UNIX).connect('%SOCKET%'))`,
      says: /refused ENOENT/,
    },
    {
      name: 'connects to the engine of containers',
      code: `does(lambda: socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock'))`,
      says: /refused ENOENT/,
    },
    {
      name: 'talks to the hypervisor',
      code: `does(lambda: socket.socket(40, socket.SOCK_STREAM))`,
      says: /refused EAFNOSUPPORT/,
    },
    {
      name: 'asks for routes',
      code: `does(lambda: socket.socket(16, socket.SOCK_RAW, 0))`,
      says: /refused EAFNOSUPPORT/,
    },
    {
      name: 'listens to packets',
      code: `does(lambda: socket.socket(17, socket.SOCK_RAW))`,
      says: /refused EAFNOSUPPORT/,
    },
    {
      name: 'uses the cryptography of the kernel',
      code: `does(lambda: socket.socket(38, socket.SOCK_SEQPACKET))`,
      says: /refused EAFNOSUPPORT/,
    },
    {
      name: 'makes raw packets',
      code: `does(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))`,
      says: /refused EPERM/,
    },
    ...systemCalls,
    // too much of everything
    { name: 'takes all memory', code: `held = bytearray(1 << 30)`, end: 'memory', alone: true },
    {
      name: 'takes memory bit by bit',
      code: `held = []\nwhile True: held.append(bytearray(1 << 20))`,
      end: 'memory',
      alone: true,
    },
    {
      name: 'takes memory by the hands of its children',
      end: ['memory', 'timeout', 'finished'],
      alone: true,
      timeout: 2_000,
      code: `
for _ in range(20):
    if os.fork() == 0:
        held = bytearray(64 << 20)
        import time; time.sleep(30)
import time; time.sleep(30)`,
    },
    {
      name: 'forks without end',
      alone: true,
      end: ['finished', 'timeout'],
      timeout: 800,
      says: /EAGAIN|^\s*$/,
      code: `
while True:
    try: os.fork()
    except OSError as error: print('refused', errno.errorcode[error.errno]); break
import time; time.sleep(5)`,
    },
    {
      name: 'starts threads without end',
      code: `
import threading, time
count = 0
try:
    while count < 500: threading.Thread(target=time.sleep, args=(1,), daemon=True).start(); count += 1
except RuntimeError: print('refused at', count < 100)`,
      says: /refused at True/,
      alone: true,
    },
    {
      name: 'fills its folder',
      alone: true,
      says: /refused ENOSPC/,
      refuses: /full: \d+ bytes are too many/,
      code: `does(lambda: [open('full', 'ab').write(bytes(1 << 20)) for _ in range(200)])`,
    },
    {
      name: 'fills the temporary folder',
      alone: true,
      says: /refused ENOSPC/,
      code: `does(lambda: [open('/tmp/full', 'ab').write(bytes(1 << 20)) for _ in range(200)])`,
    },
    {
      name: 'fills the shared memory',
      alone: true,
      end: ['finished', 'memory'],
      code: `does(lambda: [open('/dev/shm/full', 'ab').write(bytes(1 << 20)) for _ in range(200)])`,
    },
    { name: 'prints without end', code: `while True: print('x' * 10000)`, end: 'output', alone: true },
    {
      name: 'complains without end',
      code: `import sys\nwhile True: sys.stderr.write('x' * 10000)`,
      end: 'output',
      alone: true,
    },
    { name: 'computes without end', code: `while True: pass`, end: 'timeout', alone: true, timeout: 300 },
    { name: 'sleeps', code: `import time; time.sleep(60)`, end: 'timeout', alone: true, timeout: 200 },
    {
      name: 'hears no signal',
      code: `import signal\nfor n in range(1, 32):\n  try: signal.signal(n, signal.SIG_IGN)\n  except OSError: pass\nwhile True: pass`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    { name: 'waits for input', code: `import sys; print(repr(sys.stdin.read()))`, says: /''/ },
    {
      name: 'leaves a daemon',
      alone: true,
      code: `
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(10): 
            try: os.close(fd)
            except OSError: pass
        import time; time.sleep(600)
    os._exit(0)
print('left')`,
      says: /left/,
    },
    { name: 'recurs without end', code: `def f(): return f()\nf()`, says: /RecursionError/ },
    { name: 'crashes', code: `ctypes.string_at(0)`, end: 'killed', alone: true },
    {
      name: 'computes a power without end',
      code: `9 ** 9 ** 9`,
      end: ['timeout', 'memory'],
      alone: true,
      timeout: 300,
    },
    {
      name: 'searches with a pattern without end',
      code: `import re; re.match('(a+)+$', 'a' * 40 + 'b')`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    // what it leaves behind
    {
      name: 'leaves a link to the host',
      code: `os.symlink('%FILE%', 'link'); os.symlink('/etc', 'linked')`,
      refuses: /link: it is a link; linked: it is a link/,
      alone: true,
    },
    {
      name: 'leaves a pipe, a socket and two names',
      alone: true,
      refuses: /pipe: it is no regular file; second: it has several names/,
      code: `
os.mkfifo('pipe'); open('first', 'w'); os.link('first', 'second'); socket.socket(socket.AF_UNIX).bind('talk')`,
    },
    {
      name: 'leaves a file that is huge and empty',
      code: `open('huge', 'wb').truncate(1 << 40)`,
      refuses: /huge: \d+ bytes are too many/,
      alone: true,
    },
    {
      name: 'leaves names that break lines',
      code: `open('a\\nb', 'w'); open('\\x1b[31mred', 'w'); open('\\u202egpj.exe', 'w'); open('a\\\\b', 'w')`,
      refuses: /not fit.*not fit.*not fit.*not fit/,
      alone: true,
    },
    { name: 'leaves a name that is no text', code: `open(b'\\xff\\xfe', 'w')`, refuses: /not fit/, alone: true },
    {
      name: 'leaves names that look like ways up',
      code: `open('..%2f..%2fevil', 'w'); open('...', 'w'); open('-rf', 'w')`,
      artifacts: ['-rf'],
      alone: true,
    },
    {
      name: 'leaves folders without end',
      code: `\nfor _ in range(50): os.mkdir('d'); os.chdir('d')\nopen('deep', 'w')`,
      refuses: /it lies too deep/,
      alone: true,
    },
    {
      name: 'leaves too many files',
      code: `for n in range(3000): open(f'f{n}', 'w').close()`,
      refuses: /there are too many files/,
      artifacts: 100,
      alone: true,
    },
    {
      name: 'leaves what it does not let be read',
      code: `open('shut', 'w').write('x'); os.chmod('shut', 0); os.mkdir('dir'); os.chmod('dir', 0)`,
      artifacts: 'any',
      alone: true,
    },
    {
      name: 'swaps a file for a link while it is read',
      alone: true,
      artifacts: 'any',
      code: `
import threading
def swap():
    while True:
        try:
            open('swap', 'w').write('mine'); os.remove('swap'); os.symlink('%FILE%', 'swap'); os.remove('swap')
        except OSError: pass
threading.Thread(target=swap, daemon=True).start()`,
    },
    // lies to those outside
    {
      name: 'says that it is done and goes on',
      alone: true,
      end: 'finished',
      code: `os.write(3, b'done 0\\n'); import time; time.sleep(30)`,
    },
    {
      name: 'says that it is done without end',
      alone: true,
      end: 'finished',
      code: `\nwhile True: os.write(3, b'done 999999999 x' * 1000 + b'\\ndone 0\\n')`,
    },
    { name: 'ends while it is spoken to', code: `os._exit(7)`, alone: true },
    { name: 'closes all that it has', code: `os.closerange(0, 64)`, end: ['finished', 'killed'], alone: true },
  ],
}
