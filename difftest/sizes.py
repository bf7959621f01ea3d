#!/usr/bin/env python3
"""Compares what `backupxml plan --vm` estimates with what real backups write, and records both.

    difftest/sizes.py --run-in 'chroot /srv/sid' --backupxml /opt/backupxml tests/host/sizes.jsonl

A domain runs a boot sector that writes one sector in each of some clusters, so that there are changes for an incremental backup. Each line has the
estimate, what the finished target takes on its file system (`written`), and the disk's capacity, in bytes. It needs what `preflight.py` needs;
everything lives in /srv/sizes there.
"""

import argparse
import base64
import json
import shlex
import struct
import subprocess
from pathlib import Path

MIB = 1 << 20
FOLDER = '/srv/sizes'
SECTORS_OF_CLUSTER = 128


def boot_sector(first, count):
    """Writes the first sector of `count` clusters of 64 KiB, from the sector `first` on, and halts."""
    code = bytes.fromhex('31c0 8ed8 b9') + struct.pack('<H', count) + bytes.fromhex('51 be407c b80043 b280 cd13 59 66 8106487c')
    code += struct.pack('<I', SECTORS_OF_CLUSTER) + bytes.fromhex('e2e9 f4 ebfd')
    packet = struct.pack('<BBHHHQ', 16, 0, 1, 0x7c00, 0, first)
    return code.ljust(0x40, b'\0') + packet.ljust(510 - 0x40, b'\0') + b'\x55\xaa'


# name, commands that make /srv/sizes/disk, its format, the target's format, clusters that the guest writes, whether they alone are backed up
MAKE = {'qcow2': f'qemu-img create -q -f qcow2 disk 256M', 'raw': f'qemu-img create -q -f raw disk 256M'}
CASES = [
    ('full-empty-qcow2', [MAKE['qcow2']], 'qcow2', 'qcow2', 0, False),
    ('full-qcow2', [MAKE['qcow2'], 'write -P 1 1M 40M'], 'qcow2', 'qcow2', 0, False),
    ('full-qcow2-to-raw', [MAKE['qcow2'], 'write -P 1 1M 40M'], 'qcow2', 'raw', 0, False),
    ('full-qcow2-with-zeros', [MAKE['qcow2'], 'write -P 0 1M 40M'], 'qcow2', 'qcow2', 0, False),
    ('full-qcow2-with-zeros-to-raw', [MAKE['qcow2'], 'write -P 0 1M 40M'], 'qcow2', 'raw', 0, False),
    ('full-qcow2-scattered', [MAKE['qcow2']], 'qcow2', 'qcow2', 300, False),
    ('full-raw', [MAKE['raw'], 'write -P 1 1M 40M'], 'raw', 'qcow2', 0, False),
    ('full-raw-to-raw', [MAKE['raw'], 'write -P 1 1M 40M'], 'raw', 'raw', 0, False),
    ('full-raw-scattered', [MAKE['raw']], 'raw', 'qcow2', 300, False),
    ('full-raw-scattered-to-raw', [MAKE['raw']], 'raw', 'raw', 300, False),
    ('full-chain', ['qemu-img create -q -f qcow2 base 256M', 'base write -P 1 1M 40M', 'qemu-img create -q -f qcow2 -b base -F qcow2 disk'], 'qcow2', 'qcow2', 100, False),
    ('full-chain-overwritten', ['qemu-img create -q -f qcow2 base 256M', 'base write -P 1 20M 40M', 'qemu-img create -q -f qcow2 -b base -F qcow2 disk'], 'qcow2', 'qcow2', 300, False),
    ('incremental-nothing', [MAKE['qcow2'], 'write -P 1 1M 40M'], 'qcow2', 'qcow2', 0, True),
    ('incremental', [MAKE['qcow2'], 'write -P 1 1M 40M'], 'qcow2', 'qcow2', 300, True),
    ('incremental-few', [MAKE['qcow2']], 'qcow2', 'qcow2', 10, True),
    ('incremental-to-raw', [MAKE['qcow2']], 'qcow2', 'raw', 300, True),
]


def script(case, backupxml):
    _, make, kind, target, clusters, is_incremental = case
    steps = []
    for step in make:
        if step.startswith('qemu-img'):
            steps.append(step)
        else:
            image, command = ('base', step[5:]) if step.startswith('base ') else ('disk', step)
            steps.append(f"qemu-io -f {'qcow2' if image == 'base' else kind} -c {shlex.quote(command)} {image} >/dev/null")
    sector = base64.b64encode(boot_sector(20 * MIB // 512, max(clusters, 1))).decode()
    if clusters:
        steps += [f'echo {sector} | base64 -d > boot', f"qemu-io -f {kind} -c 'write -s boot 0 512' disk >/dev/null"]
    checkpoint = ["echo '<domaincheckpoint><name>c1</name></domaincheckpoint>' > c.xml", 'virsh -q checkpoint-create sizes c.xml'] if is_incremental else []
    since = '<incremental>c1</incremental>' if is_incremental else ''
    return '\n'.join([
        'exec 2>&1; set -e; export LC_ALL=C', f'mkdir -p {FOLDER}; cd {FOLDER}', 'clean() { virsh -q destroy sizes; virsh -q undefine --checkpoints-metadata sizes; rm -rf ./*; }',
        'clean >/dev/null || true', *steps,
        f"""cat > d.xml <<X
<domain type='qemu'><name>sizes</name><memory unit='MiB'>2</memory><os><type arch='x86_64' machine='pc'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='qemu' type='{kind}'/><source file='{FOLDER}/disk'/><target dev='vda' bus='virtio'/></disk>
<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>
X""",
        f"echo \"<domainbackup>{since}<disks><disk name='vda' type='file'><driver type='{target}'/><target file='{FOLDER}/target'/></disk></disks></domainbackup>\" > b.xml",
        'virsh -q define d.xml', 'virsh -q start --paused sizes', *checkpoint,
        *(['virsh -q resume sizes', 'sleep 8', 'virsh -q suspend sizes'] if clusters else []), 'sync',
        'echo @@@@', f'{backupxml} plan --vm sizes --format json b.xml', 'echo @@@@', 'virsh -q backup-begin sizes b.xml',
        'for i in 1 2 3 4 5 6 7 8 9; do virsh domjobinfo sizes | grep -q None && break; sleep 0.5; done', 'virsh domjobinfo sizes --completed >/dev/null', 'sync',
        'echo @@@@', "stat -c '%b %B' target", 'clean >/dev/null', ''])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--run-in', default='', metavar='COMMAND')
    options.add_argument('--backupxml', default='backupxml', metavar='PATH')
    options.add_argument('file', type=Path)
    options = options.parse_args()
    lines = []
    for case in CASES:
        done = subprocess.run([*shlex.split(options.run_in), 'sh'], input=script(case, options.backupxml).encode(), stdout=subprocess.PIPE, timeout=120)
        parts = done.stdout.decode().split('@@@@\n')
        if len(parts) != 4:
            print(f'{case[0]}: {done.stdout.decode()}')
            continue
        disk = json.loads(parts[1])['disks'][0]
        blocks, size = map(int, parts[3].split()[:2])
        line = {'name': case[0], 'estimate': disk['estimate'], 'written': blocks * size, 'capacity': disk['capacity'], 'allocation': disk['allocation']}
        print(f"{line['name']}: estimate {line['estimate'] / MIB:.1f} MiB, written {line['written'] / MIB:.1f} MiB")
        lines.append(line)
    options.file.write_text(''.join(json.dumps(line) + '\n' for line in lines))


if __name__ == '__main__':
    main()
