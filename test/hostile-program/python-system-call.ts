// The doors of the kernel, tried in Python one by one: system calls that must not be made, or do not exist.

import type { Program } from './program.ts'

const refused = /refused E[A-Z]+/
const denied = /\bEPERM\b/

/** Programs that make system calls by their numbers, with what the prelude of Python gives them. */
export const systemCalls: readonly Program[] = [
  { name: 'mounts', code: `call(165, 40, b'none', b'/tmp', b'tmpfs', 0, 0)`, says: denied },
  { name: 'unmounts', code: `call(166, 39, b'/usr', 2)`, says: denied },
  {
    name: 'moves mounts in the new way',
    code: `call(428, 428, -100, b'/', 1); call(429, 429, -1, b'', -1, b'', 0)`,
    says: denied,
  },
  { name: 'opens a file system', code: `call(430, 430, b'tmpfs', 0)`, says: denied },
  { name: 'changes its root', code: `call(161, 51, b'/work'); call(155, 41, b'/work', b'/work')`, says: denied },
  { name: 'makes a user namespace', code: `call(272, 97, 0x10000000)`, says: denied },
  { name: 'makes a user namespace by clone', code: `call(56, 220, 0x10000011, 0, 0, 0, 0)`, says: denied },
  {
    name: 'makes a network namespace by clone3',
    code: `call(435, 435, ctypes.create_string_buffer(88), 88)`,
    says: /ENOSYS/,
  },
  { name: 'joins a namespace', code: `call(308, 268, os.open('/proc/1/ns/mnt', os.O_RDONLY), 0)`, says: denied },
  {
    name: 'opens a file by its handle',
    code: `call(304, 265, -100, ctypes.create_string_buffer(64), 0)`,
    says: denied,
  },
  {
    name: 'uses the keys of the kernel',
    code: `call(250, 219, 0, -3, 1); call(248, 217, b'user', b'x', b'y', 1, -3)`,
    says: denied,
  },
  {
    name: 'loads a program into the kernel',
    code: `call(321, 280, 5, ctypes.create_string_buffer(128), 128)`,
    says: denied,
  },
  { name: 'opens a ring', code: `call(425, 425, 8, ctypes.create_string_buffer(256))`, says: /ENOSYS/ },
  {
    name: 'watches performance',
    code: `call(298, 241, ctypes.create_string_buffer(128), 0, -1, -1, 0)`,
    says: denied,
  },
  { name: 'handles its own page faults', code: `call(323, 282, 0)`, says: denied },
  { name: 'loads a module', code: `call(175, 105, 0, 0, b''); call(313, 273, 0, b'', 0)`, says: denied },
  { name: 'loads another kernel', code: `call(246, 104, 0, 0, 0, 0)`, says: denied },
  { name: 'restarts the machine', code: `call(169, 142, 0xfee1dead, 672274793, 0x1234567, 0)`, says: denied },
  { name: 'renames the machine', code: `call(170, 161, b'evil', 4)`, says: denied },
  { name: 'sets the clock', code: `call(227, 112, 0, ctypes.create_string_buffer(16))`, says: denied },
  { name: 'turns off the randomness of addresses', code: `call(135, 92, 0x40000)`, says: denied },
  { name: 'makes a call that is too new', code: `call(463, 463, 0, 0, 0, 0, 0, 0)`, says: /ENOSYS/ },
  { name: 'makes a call of another table', code: `call(0x40000000 + 39, 0x40000000 + 172)`, says: /ENOSYS/ },
  { name: 'becomes root', code: `does(lambda: os.setuid(0)); does(lambda: os.setresgid(0, 0, 0))`, says: refused },
  { name: 'joins groups', code: `does(lambda: os.setgroups([0, 4, 27]))`, says: refused },
  { name: 'types into the terminal', code: `import fcntl; does(lambda: fcntl.ioctl(1, 0x5412, b'x'))`, says: denied },
  {
    name: 'raises its limits',
    code: `import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512)); does(lambda: os.nice(-5))`,
    says: refused,
  },
  {
    name: 'makes a call of 32 bits',
    alone: true,
    end: ['killed', 'finished'],
    code: `
import mmap, sys
if not x64: sys.exit(0)
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex('b814000000cd80c3'))
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
print('ESCAPED', ctypes.CFUNCTYPE(ctypes.c_int)(address)())`,
  },
]
