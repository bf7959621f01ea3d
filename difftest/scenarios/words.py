"""The data type of a scenario, and functions for the tables of scenarios.

A table is a list of `Scenario`. The words below make the parts: `qcow2('vda')` is a disk with its image, `push(...)` a backup.
Everything lives below FOLDER of the place where libvirt is.
"""

from dataclasses import dataclass

FOLDER = '/vm'


@dataclass(frozen=True)
class Disk:
    """A disk of the domain: its XML, and the commands that create and remove its storage."""
    xml: str
    prepare: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    name: str
    backup: str
    disks: tuple[Disk, ...]
    # None: the rule's name is not known, or the backup is accepted.
    rule: str | None = None
    checkpoint: str | None = None
    # The checkpoint XML of each checkpoint that exists, oldest first.
    existing: tuple[str, ...] = ()
    reuse: bool = False
    # Shell commands before the domain is defined, before the backup is begun (the domain runs), and at the very end.
    prepare: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()
    stopped: bool = False
    # The verdict depends on the host, not on the documents alone.
    host: bool = False
    # More elements of the domain, of its <os> and of its <devices>.
    domain: str = ''
    os: str = ''
    devices: str = ''
    # Shell commands after an accepted start, whose output is recorded: a push has ended by then, a pull runs.
    after: tuple[str, ...] = ()
    arch: str = 'x86_64'
    machine: str = 'pc'
    usb: bool = False
    # Dump the checkpoints with their <domain>.
    full_dumps: bool = False


def image(path, kind='qcow2', size='1M', options=''):
    """The command that makes an image."""
    return f"qemu-img create -q -f {kind} {options} '{path}' {size}"


def disk(name, kind, *, path=None, size='1M', inside='', bus='virtio', device='disk', driver='', prepare=None):
    """A disk of type file on an image of its own."""
    path = path or f'{FOLDER}/{name}.{"img" if kind == "raw" else kind}'
    return Disk(f"<disk type='file' device='{device}'><driver name='qemu' type='{kind}'{driver}/><source file='{path}'/>"
                f"<target dev='{name}' bus='{bus}'/>{inside}</disk>",
                (image(path, kind, size),) if prepare is None else tuple(prepare))


def qcow2(name, **rest):
    return disk(name, 'qcow2', **rest)


def raw(name, **rest):
    return disk(name, 'raw', **rest)


def block(name, kind='qcow2', inside='', size='4M'):
    """A disk on a loop device, which is reached by a fixed name below FOLDER."""
    file, device = f'{FOLDER}/{name}.loop', f'{FOLDER}/{name}.dev'
    return Disk(f"<disk type='block' device='disk'><driver name='qemu' type='{kind}'/><source dev='{device}'/>"
                f"<target dev='{name}' bus='virtio'/>{inside}</disk>",
                (*loop(device, file, size), *([image(device, kind)] if kind != 'raw' else [])), (unloop(device),))


def loop(device, file, size='4M'):
    """The commands that make a loop device over a new file, with a symbolic link of the name `device` to it."""
    return (f'truncate -s {size} {file}', f'ln -s $(losetup --find --show {file}) {device}')


def unloop(device):
    return f'losetup --detach $(readlink {device})'


def empty(name='hdc', bus='ide', device='cdrom'):
    return Disk(f"<disk type='file' device='{device}'><target dev='{name}' bus='{bus}'/></disk>")


def push(*disks, incremental=None):
    """A push backup. Without disks it has no <disks>."""
    return backup('push', '', disks, incremental)


def pull(*disks, incremental=None, server="<server transport='unix' socket='/vm/nbd'/>"):
    return backup('pull', server, disks, incremental)


def backup(mode, server, disks, incremental):
    lines = [f"<domainbackup mode='{mode}'>"]
    if incremental is not None:
        lines.append(f'  <incremental>{incremental}</incremental>')
    if server:
        lines.append('  ' + server)
    if disks:
        lines += ['  <disks>', *('    ' + each for each in disks), '  </disks>']
    return '\n'.join([*lines, '</domainbackup>', ''])


def to(name, path=None, kind=None, rest='', inside='', target='target'):
    """A disk of a push backup that goes to a file."""
    driver = f"<driver type='{kind}'/>" if kind else ''
    path = path or f'{FOLDER}/{name}.backup'
    return f"<disk name='{name}' type='file'{rest}>{driver}<{target} file='{path}'>{inside}</{target}></disk>" if inside else \
        f"<disk name='{name}' type='file'{rest}>{driver}<{target} file='{path}'/></disk>"


def to_device(name, path, kind=None, rest='', target='target'):
    driver = f"<driver type='{kind}'/>" if kind else ''
    return f"<disk name='{name}' type='block'{rest}>{driver}<{target} dev='{path}'/></disk>"


def scratch(name, path=None, rest=''):
    return to(name, path or f'{FOLDER}/{name}.scratch', rest=rest, target='scratch')


def out(name):
    return f"<disk name='{name}' backup='no'/>"


def checkpoint(name=None, *disks, more=''):
    """A checkpoint. Without disks it has no <disks>."""
    lines = ['<domaincheckpoint>']
    if name is not None:
        lines.append(f'  <name>{name}</name>')
    if more:
        lines.append('  ' + more)
    if disks:
        lines += ['  <disks>', *('    ' + each for each in disks), '  </disks>']
    return '\n'.join([*lines, '</domaincheckpoint>', ''])


def covers(*names, no=()):
    """The lines of a checkpoint's disks."""
    return tuple(f"<disk name='{name}' checkpoint='bitmap'/>" for name in names) + \
        tuple(f"<disk name='{name}' checkpoint='no'/>" for name in no)


def redefined(*edits):
    """The commands that stop the domain, change its definition by these `sed` expressions, and start it again."""
    return ('virsh destroy preflight', 'virsh dumpxml --inactive preflight > again.xml', *(f'sed -i "{edit}" again.xml' for edit in edits),
            'virsh define again.xml', 'virsh start --paused preflight')
