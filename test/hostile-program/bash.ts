// What a hostile program tries in Bash. `tries` says ESCAPED where a command works that must not.

import type { Corpus } from './program.ts'

/** Runs first in every interpreter. */
export const bashPrelude = `tries() { if "$@" 2>&1; then echo ESCAPED "$@"; else echo refused "$1"; fi; }`

const refused = /refused/

export const bash: Corpus = {
  language: 'bash',
  programs: [
    { name: 'reads /etc/shadow', code: `tries cat /etc/shadow`, says: refused },
    { name: 'reads a file of the host', code: `tries cat %FILE%`, says: refused },
    {
      name: 'finds it',
      code: `find / -xdev -name "$(basename %FILE%)" 2>/dev/null | sed 's/^/ESCAPED /'; echo looked`,
      says: /looked/,
    },
    {
      name: 'connects to a server of the host',
      code: `(exec 5<>/dev/tcp/127.0.0.1/%PORT%) 2>&1 && echo ESCAPED || echo refused`,
      says: refused,
    },
    {
      name: 'connects to the network',
      code: `(exec 5<>/dev/tcp/192.0.2.1/80) 2>&1 && echo ESCAPED || echo refused`,
      says: refused,
    },
    {
      name: 'sends a datagram',
      code: `(echo x >/dev/udp/192.0.2.1/53) 2>&1 && echo ESCAPED || echo refused`,
      says: refused,
    },
    { name: 'mounts', code: `tries mount -t tmpfs none /tmp`, says: refused },
    { name: 'makes the system writable', code: `tries mount -o remount,rw /usr`, says: refused },
    { name: 'makes namespaces', code: `tries unshare -Urn true; tries unshare -m true`, says: refused },
    { name: 'enters the namespaces of the first process', code: `tries nsenter -t 1 -a true`, says: refused },
    {
      name: 'becomes somebody else',
      code: `tries su -c true; tries setpriv --reuid=0 true; tries chroot / true`,
      says: refused,
    },
    {
      name: 'makes a program of root',
      code: `cp /bin/bash /tmp/shell; chmod 4755 /tmp/shell; [ "$(/tmp/shell -p -c 'id -u')" = 65534 ] && echo the same || echo ESCAPED`,
      says: /the same/,
    },
    {
      name: 'runs programs of root',
      code: `for each in $(find /usr/bin -perm -4000 2>/dev/null | head -5); do [ "$(grep -c 'NoNewPrivs:.1' /proc/self/status)" = 1 ] || echo ESCAPED; done; echo looked`,
      says: /looked/,
    },
    {
      name: 'looks for capabilities',
      code: `grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status | grep -v 0000000000000000 && echo ESCAPED || echo none`,
      says: /none/,
    },
    { name: 'tells its environment', code: `env; tr '\\0' '\\n' </proc/1/environ`, says: /HOME=\/tmp/ },
    {
      name: 'has a library loaded before others',
      code: `export LD_PRELOAD=/tmp/evil.so; touch /tmp/evil.so; cat /dev/null; unset LD_PRELOAD; echo on`,
      says: /on/,
    },
    {
      name: 'changes where programs are found',
      code: `export PATH=/tmp:$PATH BASH_ENV=/tmp/evil ENV=/tmp/evil; echo 'echo ESCAPED' >/tmp/evil; true`,
      alone: true,
    },
    {
      name: 'lists the processes of the host',
      code: `cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -q '%TITLE%' && echo ESCAPED || echo none`,
      says: /none/,
    },
    { name: 'signals the processes of the host', code: `tries kill -9 %PID%`, says: refused },
    { name: 'signals all that it can', code: `(kill -9 -1); echo lives`, end: ['finished', 'killed'], alone: true },
    { name: 'signals its parent', code: `kill -9 $PPID; echo lives`, says: /lives/ },
    { name: 'signals its group', code: `kill -9 0`, end: 'killed', alone: true },
    {
      name: 'turns its limits off',
      code: `ulimit -u unlimited 2>&1; ulimit -n 1048576 2>&1 && echo ESCAPED; echo tried`,
      says: /tried/,
    },
    {
      name: 'leaves its group of the kernel',
      code: `tries bash -c 'echo $$ >/sys/fs/cgroup/cgroup.procs'`,
      says: refused,
    },
    {
      name: 'forks without end',
      code: `bomb() { bomb | bomb & }; bomb; sleep 0.3; echo lives`,
      says: /lives|retry|Resource/,
      end: ['finished', 'timeout'],
      alone: true,
      timeout: 3_000,
    },
    {
      name: 'forks twenty levels deep',
      code: `deep() { [ $1 -gt 0 ] && { (deep $(($1 - 1))) & }; sleep 600; }; deep 20`,
      end: 'timeout',
      alone: true,
      timeout: 400,
    },
    {
      name: 'leaves daemons',
      code: `(setsid nohup sleep 600 >/dev/null 2>&1 &) ; (trap '' HUP TERM INT; sleep 600 & ) >/dev/null 2>&1; echo left`,
      says: /left/,
      alone: true,
    },
    {
      name: 'hears no signal',
      code: `trap '' TERM INT HUP QUIT; while :; do :; done`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    { name: 'prints without end', code: `yes`, end: 'output', alone: true },
    { name: 'prints noise without end', code: `cat /dev/urandom`, end: 'output', alone: true },
    {
      name: 'fills its folder',
      code: `dd if=/dev/zero of=full bs=1M 2>&1 | grep -o 'No space left'`,
      says: /No space left/,
      refuses: /too many/,
      alone: true,
    },
    {
      name: 'fills its folder with names',
      code: `for n in $(seq 5000); do : >"n$n"; done; echo made`,
      says: /made/,
      artifacts: 100,
      refuses: /too many files/,
      alone: true,
    },
    {
      name: 'takes memory by a pipe',
      code: `cat /dev/zero | head -c 1G | tail >/dev/null; echo "ended $?"`,
      says: /ended|Killed/,
      end: ['finished', 'memory'],
      alone: true,
      timeout: 8_000,
    },
    {
      name: 'closes its streams',
      code: `exec 1>&- 2>&- 3>&- 4<&-`,
      end: ['finished', 'timeout'],
      alone: true,
      timeout: 400,
    },
    {
      name: 'reads what is said to its interpreter',
      code: `read -t 1 -u 4 line 2>&1 && echo ESCAPED || echo refused`,
      says: refused,
    },
    {
      name: 'answers in its place',
      code: `echo done 0 >&3 2>/dev/null; (echo done 0 >/proc/$$/fd/3) 2>/dev/null; echo on`,
      end: ['finished'],
    },
    { name: 'stops at the first error', code: `set -e; false; echo ESCAPED`, alone: true },
    { name: 'ends', code: `exit 200`, alone: true },
    { name: 'makes a device', code: `tries mknod disk b 254 0`, says: refused },
    { name: 'reads the disk', code: `tries head -c 10 /dev/vda; tries head -c 10 /dev/sda`, says: refused },
    {
      name: 'leaves links of every kind',
      code: `ln -s %FILE% soft; ln -s . round; ln %FILE% hard 2>/dev/null; ln -s /proc/self/root top`,
      refuses: /round: it is a link; soft: it is a link; top: it is a link/,
      alone: true,
    },
    { name: 'leaves a pipe', code: `mkfifo pipe`, refuses: /pipe: it is no regular file/, alone: true },
    {
      name: 'mends its code at the next call',
      code: `eval() { echo "eval is mine"; }; printf() { builtin printf "$@"; }; true`,
      alone: true,
      end: ['finished'],
    },
  ],
}
