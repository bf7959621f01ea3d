"""What the host decides: each kind from both sides. Played by `host.py`, under root, an ordinary user, and in a session."""

from dataclasses import dataclass

from .encryption import GONE, MAKE, UUID, luks
from .words import Scenario, block, checkpoint, covers, disk, image, loop, out, pull, push, qcow2, raw, scratch, to, to_device, unloop

ALL = ('root', 'user', 'session')
SYSTEM = ('root', 'user')


@dataclass(frozen=True)
class HostScenario(Scenario):
    # Whom QEMU may run as: root, an ordinary user of the system's daemon, or the user of a session.
    modes: tuple[str, ...] = ('root',)


def scene(name, backup, disks=None, rule=None, modes=('root',), **more):
    return HostScenario(name, backup, disks or ONE, rule, modes=modes, host=True, **more)


ONE = (qcow2('vda'),)
TWO = (qcow2('vda'), qcow2('vdb'))
CP1 = checkpoint('cp1', *covers('vda'))
CP2 = checkpoint('cp2', *covers('vda'))
EXISTS, MISSING, READ_ONLY, DENIED = (f'host/{name}' for name in ('destination-exists', 'missing-directory', 'read-only-file-system', 'permission-denied'))
SPACE, LARGE, GONE_FILE, KIND, DEVICE = (f'host/{name}' for name in ('not-enough-space', 'file-too-large', 'missing-file', 'wrong-file-type', 'read-only-device'))
SIZE, FORMAT, IN_USE, SAME = (f'host/{name}' for name in ('image-size', 'image-format', 'image-in-use', 'same-destination'))
LOST, LEFT, OLD = 'checkpoint/lost-bitmap', 'host/leftover-bitmap', 'host/old-qcow2'
NO_SECRET, TLS, ADDRESS, NAME, PORT, LOW_PORT, SOCKET = (f'host/{name}' for name in (
    'missing-secret', 'certificates', 'foreign-address', 'unknown-host', 'port-in-use', 'privileged-port', 'socket-path'))
JOB, STOPPED = 'host/running-job', 'host/inactive-domain'


def mount(where, options='', kind='tmpfs'):
    return (f'mkdir -p {where}', f'mount -t {kind} {options} none {where}')


def umount(where):
    return (f'umount {where}',)


def nbd(path, format='raw', more=''):
    """The commands that have qemu-nbd open an image."""
    return (f'qemu-nbd --fork --persistent {more} --format {format} --socket /vm/held --pid-file /vm/pid {path}',)


NO_NBD = ('kill $(cat /vm/pid)', 'sleep 0.2')
QMP = 'virsh qemu-monitor-command preflight'


def new_file():
    """Destinations of new files."""
    target = to('vda', '/vm/a')
    yield scene('new-file', push(target), modes=ALL)
    yield scene('new-file-generated', push(), modes=ALL)
    yield scene('new-file-exists', push(target), rule=EXISTS, modes=ALL, before=('touch /vm/a',))
    yield scene('new-file-last-run', push(to('vda')), rule=EXISTS, before=('qemu-img create -q -f qcow2 /vm/vda.backup 1M',))
    yield scene('new-file-generated-exists', push("<disk name='vda'/>"), rule=EXISTS, checkpoint=CP1, before=('touch /vm/vda.qcow2.cp1',))
    yield scene('new-file-scratch-exists', pull(scratch('vda')), rule=EXISTS, before=('touch /vm/vda.scratch',))
    yield scene('new-file-is-directory', push(target), rule=EXISTS, before=('mkdir /vm/a',))
    yield scene('new-file-is-fifo', push(target), rule=EXISTS, before=('mkfifo /vm/a',))
    yield scene('new-file-is-socket', push(target), rule=EXISTS, before=('qemu-img create -q -f raw /vm/i 1M', 'qemu-nbd --fork --socket /vm/a --format raw --pid-file /vm/pid /vm/i'), clean=NO_NBD)
    yield scene('new-file-is-link', push(target), rule=EXISTS, before=('touch /vm/b', 'ln -s b /vm/a'))
    yield scene('new-file-is-dangling-link', push(target), before=('ln -s b /vm/a',), modes=SYSTEM)
    yield scene('new-file-is-link-into-nowhere', push(target), rule=MISSING, before=('ln -s none/b /vm/a',))
    yield scene('new-file-is-link-loop', push(target), rule=MISSING, before=('ln -s a /vm/a',))
    yield scene('new-file-of-other-domain', push(to('vda', '/vm/vdb.qcow2')), rule=EXISTS, before=('qemu-img create -q -f qcow2 /vm/vdb.qcow2 1M',))
    yield scene('new-file-own-image-by-link', push(to('vda', '/vm/l/vda.qcow2')), rule=EXISTS, before=('ln -s . /vm/l',))
    yield scene('new-file-behind-link-and-dots', push(to('vda', '/vm/l/../x')), rule=EXISTS, before=('mkdir -p /vm/d/e', 'touch /vm/d/x', 'ln -s d/e /vm/l'))
    yield scene('new-file-behind-link-and-dots-free', push(to('vda', '/vm/l/../x')), before=('mkdir -p /vm/d/e', 'touch /vm/x', 'ln -s d/e /vm/l'))
    yield scene('new-file-by-two-links', push(to('vda', '/vm/l/x'), to('vdb', '/vm/d/x')), TWO, SAME, before=('mkdir /vm/d', 'ln -s d /vm/l'))
    yield scene('new-file-by-bind-mount', push(to('vda', '/vm/m/x'), to('vdb', '/vm/d/x')), TWO, SAME,
                before=('mkdir /vm/d /vm/m', 'mount --bind /vm/d /vm/m'), clean=umount('/vm/m'))
    yield scene('new-file-in-two-directories', push(to('vda', '/vm/c/x'), to('vdb', '/vm/d/x')), TWO, before=('mkdir /vm/c /vm/d',))
    yield scene('new-file-named-twice-in-one-link', push(to('vda', '/vm/l'), to('vdb', '/vm/x')), TWO, SAME, before=('ln -s x /vm/l',))
    for path, what, before in (('/vm/none/x', 'directory-missing', ()), ('/vm/f/x', 'below-file', ('touch /vm/f',)), ('/vm/l/x', 'below-dangling-link', ('ln -s none /vm/l',)),
                               ('/vm/l/x', 'below-link-loop', ('ln -s l /vm/l',)), ('/vm/none/../x', 'dots-behind-missing', ())):
        yield scene(f'new-file-{what}', push(to('vda', path)), rule=MISSING, before=before, modes=ALL if what == 'directory-missing' else ('root',))
    yield scene('new-file-scratch-directory-missing', pull(scratch('vda', '/vm/none/x')), rule=MISSING)
    yield scene('new-file-read-only', push(to('vda', '/vm/m/x')), rule=READ_ONLY, before=mount('/vm/m', '-o ro'), clean=umount('/vm/m'), modes=SYSTEM)
    yield scene('new-file-read-only-bind', push(to('vda', '/vm/m/x')), rule=READ_ONLY,
                before=('mkdir /vm/d /vm/m', 'mount --bind /vm/d /vm/m', 'mount -o remount,bind,ro /vm/m'), clean=umount('/vm/m'))
    yield scene('new-file-other-mount', push(to('vda', '/vm/m/x')), before=(*mount('/vm/m'), 'chmod 777 /vm/m'), clean=umount('/vm/m'), modes=ALL)
    yield scene('new-file-in-proc', push(to('vda', '/proc/x')), rule=DENIED)
    yield scene('new-file-in-sys', push(to('vda', '/sys/x')), rule=DENIED)


def permissions():
    target = to('vda', '/vm/d/x')
    yield scene('directory-closed', push(target), rule=DENIED, modes=('user', 'session'), before=('mkdir -m 700 /vm/d',))
    yield scene('directory-closed-to-nobody', push(target), modes=('root',), before=('mkdir -m 700 /vm/d', 'chown 1234 /vm/d'))
    yield scene('directory-closed-above', push(to('vda', '/vm/d/e/x')), rule=DENIED, modes=('user', 'session'), before=('mkdir -m 700 /vm/d', 'mkdir -m 777 /vm/d/e'))
    yield scene('directory-search-only', push(target), modes=('user',), before=('mkdir -m 711 /vm/d',))
    yield scene('directory-not-writable', push(target), rule=DENIED, modes=('session',), before=('mkdir -m 755 /vm/d',))
    yield scene('directory-not-writable-system', push(target), modes=('user',), before=('mkdir -m 755 /vm/d',))
    yield scene('directory-of-group', push(target), modes=('user',), before=('mkdir -m 710 /vm/d', 'chgrp kvm /vm/d'))
    yield scene('directory-of-other-group', push(target), rule=DENIED, modes=('user',), before=('mkdir -m 710 /vm/d', 'chgrp 4 /vm/d'))
    yield scene('directory-of-user', push(target), modes=('user', 'session'), before=('mkdir -m 700 /vm/d', 'chown $QEMU_USER /vm/d'))
    yield scene('directory-of-user-closed', push(target), rule=DENIED, modes=('user', 'session'), before=('mkdir -m 077 /vm/d', 'chown $QEMU_USER /vm/d'))
    yield scene('directory-sticky', push(target), modes=ALL, before=('mkdir -m 1777 /vm/d',))
    for what, label, rule in (('no-relabel', "<seclabel model='dac' relabel='no'/>", DENIED), ('no-relabel-without-model', "<seclabel relabel='no'/>", None),
                              ('no-relabel-selinux', "<seclabel model='selinux' relabel='no'/>", None), ('labelskip', "<seclabel model='dac' labelskip='yes'/>", None),
                              ('label-root', "<seclabel model='dac'><label>+0:+0</label></seclabel>", DENIED),
                              ('label-qemu', "<seclabel model='dac'><label>+64055:+64055</label></seclabel>", None)):
        yield scene(f'label-{what}', push(to('vda', inside=label)), rule=rule, modes=('user',))
    yield scene('label-no-relabel-root', push(to('vda', inside="<seclabel model='dac' relabel='no'/>")))
    made = image('/vm/x')
    into = to('vda', '/vm/x')
    yield scene('reused-of-root', push(into), reuse=True, modes=SYSTEM, before=(made, 'chmod 600 /vm/x'))
    yield scene('reused-of-root-session', push(into), rule=DENIED, reuse=True, modes=('session',), before=(made, 'chown 0 /vm/x', 'chmod 644 /vm/x'))
    yield scene('reused-of-user', push(into), reuse=True, modes=('session', 'user'), before=(made, 'chown $QEMU_USER /vm/x', 'chmod 600 /vm/x'))
    yield scene('reused-no-relabel', push(to('vda', '/vm/x', inside="<seclabel model='dac' relabel='no'/>")), rule=DENIED, reuse=True, modes=('user',), before=(made, 'chown 0 /vm/x', 'chmod 644 /vm/x'))
    yield scene('reused-no-relabel-open', push(to('vda', '/vm/x', inside="<seclabel model='dac' relabel='no'/>")), reuse=True, modes=('user',), before=(made, 'chmod 666 /vm/x'))
    yield scene('reused-directory-closed', push(to('vda', '/vm/d/x')), rule=DENIED, reuse=True, modes=('user', 'session'),
                before=('mkdir -m 700 /vm/d', image('/vm/d/x'), 'chown 0 /vm/d'))


def space():
    small = lambda size: (*mount('/vm/m', f'-o size={size}'), 'chmod 777 /vm/m')
    full = ('dd if=/dev/zero of=/vm/m/z bs=4k count=100000 2>/dev/null || true',)
    target = to('vda', '/vm/m/x')
    gone = umount('/vm/m')
    yield scene('space-none', push(target), rule=SPACE, before=(*small('64k'), *full), clean=gone, modes=SYSTEM)
    yield scene('space-none-raw', push(to('vda', '/vm/m/x', 'raw')), before=(*small('64k'), *full), clean=gone)
    yield scene('space-16k', push(target), rule=SPACE, before=small('16k'), clean=gone)
    for size in (64, 128, 160, 196):
        yield scene(f'space-{size}k', push(target), rule=SPACE if size < 196 else None, before=small(f'{size}k'), clean=gone)
    yield scene('space-no-inodes', push(target), rule=SPACE, before=(*mount('/vm/m', '-o nr_inodes=2'), 'touch /vm/m/y'), clean=gone)
    yield scene('space-of-another-mount', push(to('vda')), before=(*small('64k'), *full), clean=gone)
    # Larger than a file can be on a file system with blocks of 1 KiB.
    ext4 = ('truncate -s 64M /vm/fs', 'mkfs.ext4 -q -b 1024 /vm/fs', 'mkdir /vm/m', 'mount -o loop /vm/fs /vm/m')
    large = (qcow2('vda', size='5T'),)
    yield scene('space-large-raw', push(to('vda', '/vm/m/x', 'raw')), large, LARGE, before=ext4, clean=gone)
    yield scene('space-large-qcow2', push(target), large, before=ext4, clean=gone)
    yield scene('space-small-raw', push(to('vda', '/vm/m/x', 'raw')), before=ext4, clean=gone)


def device():
    made = lambda size='4M': loop('/vm/dev', '/vm/dev.file', size)
    target, raw_target = to_device('vda', '/vm/dev'), to_device('vda', '/vm/dev', 'raw')
    gone = (unloop('/vm/dev'),)
    yield scene('device', push(target), before=made(), clean=gone, modes=SYSTEM)
    yield scene('device-raw', push(raw_target), before=made('1M'), clean=gone, modes=SYSTEM)
    yield scene('device-raw-larger', push(raw_target), rule=SIZE, before=made(), clean=gone)
    yield scene('device-missing', push(target), rule=GONE_FILE, modes=ALL)
    yield scene('device-dangling-link', push(target), rule=GONE_FILE, before=('ln -s /dev/none /vm/dev',))
    yield scene('device-below-missing', push(to_device('vda', '/vm/none/dev')), rule=GONE_FILE)
    yield scene('device-is-file', push(target), rule=KIND, before=('truncate -s 4M /vm/dev',))
    yield scene('device-is-directory', push(target), rule=KIND, before=('mkdir /vm/dev',))
    yield scene('device-is-null', push(to_device('vda', '/dev/null')), rule=KIND)
    yield scene('device-read-only', push(target), rule=DEVICE, before=('truncate -s 4M /vm/dev.file', 'ln -s $(losetup --find --show --read-only /vm/dev.file) /vm/dev'), clean=gone)
    yield scene('device-raw-read-only', push(raw_target), rule=DEVICE, before=('truncate -s 1M /vm/dev.file', 'ln -s $(losetup --find --show --read-only /vm/dev.file) /vm/dev'), clean=gone)
    yield scene('device-empty', push(target), rule=DEVICE, before=('ln -s $(losetup --find) /vm/dev',))
    yield scene('device-tiny', push(target), rule=SIZE, before=made('128K'), clean=gone)
    yield scene('device-small', push(target), before=made('256K'), clean=gone)
    yield scene('device-in-use', push(target), rule=IN_USE, before=(*made(), *nbd('/vm/dev')), clean=(*NO_NBD, *gone))
    yield scene('device-raw-in-use', push(raw_target), before=(*made('1M'), *nbd('/vm/dev')), clean=(*NO_NBD, *gone))
    yield scene('device-in-use-by-reader', push(target), rule=IN_USE, before=(*made(), *nbd('/vm/dev', more='-r')), clean=(*NO_NBD, *gone))
    yield scene('device-raw-in-use-by-reader', push(raw_target), before=(*made('1M'), *nbd('/vm/dev', more='-r')), clean=(*NO_NBD, *gone))
    yield scene('device-by-two-names', push(to_device('vda', '/vm/dev'), to_device('vdb', '/vm/dev2')), TWO, SAME, before=(*made(), 'ln -s dev /vm/dev2'), clean=gone)
    yield scene('device-by-two-names-raw', push(to_device('vda', '/vm/dev', 'raw'), to_device('vdb', '/vm/dev2', 'raw')), TWO, before=(*made('1M'), 'ln -s dev /vm/dev2'), clean=gone)
    yield scene('device-by-two-nodes', push(to_device('vda', '/vm/dev'), to_device('vdb', '/vm/dev2')), TWO,
                before=(*made(), 'mknod /vm/dev2 b 7 $(readlink /vm/dev | tr -dc 0-9)'), clean=gone)
    yield scene('device-of-other-disk', push(to_device('vda', '/vm/other')), (qcow2('vda'), block('vdb')), IN_USE, before=('ln -s vdb.dev /vm/other',))
    yield scene('device-no-relabel', push("<disk name='vda' type='block'><target dev='/vm/dev'><seclabel model='dac' relabel='no'/></target></disk>"), rule=DENIED,
                before=(*made(), 'chown 0:0 $(readlink /vm/dev)', 'chmod 600 $(readlink /vm/dev)'), clean=gone, modes=('user',))
    yield scene('device-reused', push(target), reuse=True, before=(*made(), image('/vm/dev')), clean=gone)
    yield scene('device-reused-not-formatted', push(target), rule=FORMAT, reuse=True, before=made(), clean=gone)
    yield scene('device-scratch', pull(to_device('vda', '/vm/dev', target='scratch')), before=made(), clean=gone)
    yield scene('device-scratch-missing', pull(to_device('vda', '/vm/dev', target='scratch')), rule=GONE_FILE)


def reused():
    target, raw_target = to('vda', '/vm/x'), to('vda', '/vm/x', 'raw')
    made = image('/vm/x')
    secret = '--object secret,id=s,data=secret -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10'
    for name, backup, rule, before in (
            ('', target, None, (made,)), ('-missing', target, GONE_FILE, ()), ('-directory-missing', to('vda', '/vm/none/x'), GONE_FILE, ()),
            ('-empty', target, FORMAT, ('touch /vm/x',)), ('-raw-for-qcow2', target, FORMAT, (image('/vm/x', 'raw'),)),
            ('-qcow2-for-raw', raw_target, SIZE, (made,)), ('-raw', raw_target, None, (image('/vm/x', 'raw'),)),
            ('-raw-larger', raw_target, SIZE, (image('/vm/x', 'raw', '2M'),)), ('-raw-smaller', raw_target, SIZE, (image('/vm/x', 'raw', '512K'),)),
            ('-smaller', target, SIZE, (image('/vm/x', size='512K'),)), ('-larger', target, SIZE, (image('/vm/x', size='2M'),)),
            ('-truncated', target, FORMAT, (made, 'truncate -s 50 /vm/x')), ('-cut', target, None, (made, 'truncate -s 100000 /vm/x')),
            ('-corrupt', target, FORMAT, (made, "printf '\\002' | dd of=/vm/x bs=1 seek=79 conv=notrunc 2>/dev/null")),
            ('-old', target, None, (image('/vm/x', options='-o compat=0.10'),)),
            ('-encrypted', target, FORMAT, (image('/vm/x', options=secret),)),
            ('-is-directory', target, KIND, ('mkdir /vm/x',)), ('-is-null', to('vda', '/dev/null'), KIND, ()),
            ('-link', target, None, (image('/vm/y'), 'ln -s y /vm/x')), ('-dangling-link', target, GONE_FILE, ('ln -s y /vm/x',)),
            ('-vmdk-for-qcow2', target, FORMAT, (image('/vm/x', 'vmdk'),)), ('-vdi', to('vda', '/vm/x', 'vdi'), None, (image('/vm/x', 'vdi'),)),
            ('-qcow2-for-vdi', to('vda', '/vm/x', 'vdi'), FORMAT, (made,)), ('-with-data', target, None, (made, "qemu-io -c 'write 0 64k' /vm/x >/dev/null || true")),
            ('-with-backing', target, None, (image('/vm/base'), image('/vm/x', options='-b /vm/base -F qcow2', size='')))):
        yield scene(f'reused{name}', push(backup), rule=rule, reuse=True, before=before, modes=ALL if name in ('', '-missing') else ('root',))
    yield scene('reused-in-use', push(target), rule=IN_USE, reuse=True, before=(made, *nbd('/vm/x', 'qcow2')), clean=NO_NBD)
    yield scene('reused-in-use-by-reader', push(target), rule=IN_USE, reuse=True, before=(made, *nbd('/vm/x', 'qcow2', '-r')), clean=NO_NBD)
    yield scene('reused-raw-in-use', push(raw_target), rule=IN_USE, reuse=True, before=(image('/vm/x', 'raw'), *nbd('/vm/x')), clean=NO_NBD)
    yield scene('reused-raw-in-use-by-reader', push(raw_target), rule=IN_USE, reuse=True, before=(image('/vm/x', 'raw'), *nbd('/vm/x', more='-r')), clean=NO_NBD)
    yield scene('reused-own-image-by-link', push(target), rule=IN_USE, reuse=True, before=('ln -s vda.qcow2 /vm/x',))
    yield scene('reused-own-image-by-hard-link', push(target), rule=IN_USE, reuse=True, before=('ln vda.qcow2 /vm/x',))
    yield scene('reused-by-two-links', push(target, to('vdb', '/vm/y')), TWO, SAME, reuse=True, before=(made, 'ln -s x /vm/y'))
    yield scene('reused-by-two-hard-links', push(target, to('vdb', '/vm/y')), TWO, SAME, reuse=True, before=(made, 'ln x /vm/y'))
    yield scene('reused-read-only', push(to('vda', '/vm/m/x')), rule=READ_ONLY, reuse=True, before=(*mount('/vm/m'), image('/vm/m/x'), 'mount -o remount,ro /vm/m'), clean=umount('/vm/m'))
    yield scene('reused-scratch', pull(scratch('vda')), reuse=True, before=(image('/vm/vda.scratch'),))
    yield scene('reused-encrypted-said-so', push(to('vda', '/vm/x', inside=luks())), reuse=True, prepare=MAKE, clean=GONE, before=(image('/vm/x', options=secret),))
    yield scene('reused-plain-said-encrypted', push(to('vda', '/vm/x', inside=luks())), rule=FORMAT, reuse=True, prepare=MAKE, clean=GONE, before=(made,))


def bitmaps():
    from_cp1 = push(to('vda'), incremental='cp1')
    remove = f'{QMP} \'{{"execute":"block-dirty-bitmap-remove","arguments":{{"node":"libvirt-1-format","name":"cp1"}}}}\''
    add = f'{QMP} \'{{"execute":"block-dirty-bitmap-add","arguments":{{"node":"libvirt-1-format","name":"cp1","persistent":true}}}}\''
    yield scene('bitmap', from_cp1, existing=(CP1,), modes=ALL)
    yield scene('bitmap-of-two', push(to('vda'), incremental='cp2'), existing=(CP1, CP2))
    yield scene('bitmap-lost', from_cp1, rule=LOST, existing=(CP1,), before=(remove,), modes=ALL)
    yield scene('bitmap-lost-pull', pull(scratch('vda'), incremental='cp1'), rule=LOST, existing=(CP1,), before=(remove,))
    yield scene('bitmap-lost-of-other', push(to('vda'), incremental='cp2'), existing=(CP1, CP2), before=(remove,))
    yield scene('bitmap-lost-later', from_cp1, rule=LOST, existing=(CP1, CP2), before=(remove.replace('cp1', 'cp2'),))
    yield scene('bitmap-lost-but-full', push(to('vda', rest=" backupmode='full'"), incremental='cp1'), existing=(CP1,), before=(remove,))
    restart = ('virsh destroy preflight', 'qemu-img bitmap --remove /vm/vda.qcow2 cp1', 'virsh start --paused preflight')
    yield scene('bitmap-lost-offline', from_cp1, rule=LOST, existing=(CP1,), before=restart)
    yield scene('bitmap-after-restart', from_cp1, existing=(CP1,), before=('virsh destroy preflight', 'virsh start --paused preflight'))
    yield scene('bitmap-after-crash', from_cp1, rule=LOST, existing=(CP1,), before=('virsh domjobabort preflight 2>/dev/null; kill -9 $(cat /run/libvirt/qemu/preflight.pid); sleep 0.5', 'virsh start --paused preflight'))
    yield scene('bitmap-after-restore', from_cp1, rule=LOST, existing=(CP1,), before=('virsh destroy preflight', image('/vm/vda.qcow2'), 'virsh start --paused preflight'))
    yield scene('bitmap-left', push(to('vda')), rule=LEFT, checkpoint=CP1, prepare=('qemu-img bitmap --add /vm/vda.qcow2 cp1',))
    yield scene('bitmap-left-of-other-name', push(to('vda')), checkpoint=CP1, prepare=('qemu-img bitmap --add /vm/vda.qcow2 cp2',))
    yield scene('bitmap-left-not-covered', push(to('vda')), TWO, checkpoint=checkpoint('cp1', *covers('vda', no=('vdb',))), prepare=('qemu-img bitmap --add /vm/vdb.qcow2 cp1',))
    yield scene('bitmap-left-by-metadata', push(to('vda')), rule=LEFT, existing=(CP1,), before=('virsh checkpoint-delete --metadata preflight cp1', 'virsh destroy preflight', 'virsh start --paused preflight'), checkpoint=CP1)
    yield scene('bitmap-left-in-this-run', push(to('vda')), rule=None, before=(add,), checkpoint=CP1)
    yield scene('bitmap-removed-in-this-run', push(to('vda')), prepare=('qemu-img bitmap --add /vm/vda.qcow2 cp1',), before=(remove,), checkpoint=CP1)
    yield scene('bitmap-deleted-checkpoint', push(to('vda')), existing=(CP1,), before=('virsh checkpoint-delete preflight cp1',), checkpoint=CP1)
    old = disk('vda', 'qcow2', prepare=(image('/vm/vda.qcow2', options='-o compat=0.10'),))
    yield scene('bitmap-old-qcow2', push(to('vda')), (old,), OLD, checkpoint=CP1)
    yield scene('bitmap-old-qcow2-without-checkpoint', push(to('vda')), (old,))
    yield scene('bitmap-old-qcow2-not-covered', push(to('vda')), (qcow2('vdb'), old), checkpoint=checkpoint('cp1', *covers('vdb', no=('vda',))))
    yield scene('bitmap-redefined', from_cp1, rule=LOST, before=(
        "printf '%s' \"<domaincheckpoint><name>cp1</name><creationTime>1700000000</creationTime><disks><disk name='vda' checkpoint='bitmap' bitmap='cp1'/></disks><domain type='qemu'><name>preflight</name><uuid>3a4f5c1e-7c1d-4d59-9c4a-2f6a1d0e7b11</uuid><memory>2048</memory><os><type>hvm</type></os><devices><disk type='file'><source file='/vm/vda.qcow2'/><target dev='vda'/></disk></devices></domain></domaincheckpoint>\" > r.xml",
        'virsh checkpoint-create preflight r.xml --redefine'))
    yield scene('bitmap-after-snapshot', from_cp1, existing=(CP1,), before=('virsh snapshot-create-as preflight s1 --disk-only --no-metadata --diskspec vda,file=/vm/s1',))
    yield scene('bitmap-offline-overlay', from_cp1, rule=LOST, existing=(CP1,), before=(
        'virsh destroy preflight', 'qemu-img create -q -f qcow2 -b /vm/vda.qcow2 -F qcow2 /vm/over', 'virsh dumpxml --inactive preflight > d2.xml', "sed -i 's#/vm/vda.qcow2#/vm/over#' d2.xml", 'virsh define d2.xml', 'virsh start --paused preflight'))


def secrets():
    encrypted = push(to('vda', inside=luks()))
    by_usage = push(to('vda', inside=luks().replace(f"uuid='{UUID}'", "usage='preflight'")))
    yield scene('secret', encrypted, prepare=MAKE, clean=GONE)
    yield scene('secret-missing', encrypted, rule=NO_SECRET)
    yield scene('secret-by-usage', by_usage, prepare=MAKE, clean=GONE)
    yield scene('secret-by-usage-missing', by_usage, rule=NO_SECRET)
    other = tuple(step.replace("<usage type='volume'><volume>preflight</volume></usage>", "<usage type='ceph'><name>preflight</name></usage>") for step in MAKE)
    yield scene('secret-by-usage-of-other-type', by_usage, rule=NO_SECRET, prepare=other, clean=GONE)
    yield scene('secret-by-uuid-of-other-type', encrypted, rule=NO_SECRET, prepare=other, clean=GONE)
    yield scene('secret-scratch-missing', pull(to('vda', target='scratch', inside=luks())), rule=NO_SECRET)


def tcp(rest, name='127.0.0.1'):
    return pull(scratch('vda'), server=f"<server name='{name}'{rest}/>")


def unix(path):
    return pull(scratch('vda'), server=f"<server transport='unix' socket='{path}'/>")


def servers():
    listen = lambda address, port=10809: (image('/vm/i', 'raw'), f'qemu-nbd --fork --persistent --format raw --bind {address} --port {port} --pid-file /vm/pid /vm/i')
    taken = {'clean': NO_NBD}
    yield scene('port-free', tcp(" port='10809'"), modes=ALL)
    yield scene('port-in-use', tcp(" port='10809'"), rule=PORT, before=listen('127.0.0.1'), **taken, modes=ALL)
    yield scene('port-in-use-on-any', tcp(" port='10809'"), rule=PORT, before=listen('0.0.0.0'), **taken)
    yield scene('port-in-use-of-any', tcp(" port='10809'", '0.0.0.0'), rule=PORT, before=listen('127.0.0.1'), **taken)
    yield scene('port-in-use-on-other-address', tcp(" port='10809'", '127.0.0.2'), before=listen('127.0.0.1'), **taken)
    yield scene('port-in-use-other-port', tcp(" port='10810'"), before=listen('127.0.0.1'), **taken)
    yield scene('port-in-use-other-family', tcp(" port='10809'", '::1'), before=listen('127.0.0.1'), **taken)
    yield scene('port-in-use-localhost', tcp(" port='10809'", 'localhost'), rule=None, before=listen('127.0.0.1'), **taken)
    yield scene('port-in-use-on-any-of-both', tcp(" port='10809'"), rule=PORT, before=listen('::'), **taken)
    yield scene('port-in-use-by-vnc', tcp(" port='5999'"), rule=PORT, domain='', before=listen('127.0.0.1', 5999), **taken)
    yield scene('port-allocated', tcp(''))
    yield scene('port-privileged', tcp(" port='80'"), rule=LOW_PORT, modes=('user', 'session'))
    yield scene('port-privileged-root', tcp(" port='81'"))
    yield scene('address-foreign', tcp(" port='10809'", '192.0.2.1'), rule=ADDRESS, modes=ALL)
    yield scene('address-foreign-ipv6', tcp(" port='10809'", '2001:db8::1'), rule=ADDRESS)
    yield scene('address-any', tcp(" port='10809'", '0.0.0.0'))
    yield scene('address-any-ipv6', tcp(" port='10809'", '::'))
    yield scene('address-loopback', tcp(" port='10809'", '127.1.2.3'))
    yield scene('address-of-host', tcp(" port='10809'", 'localhost'))
    yield scene('name-unknown', tcp(" port='10809'", 'no.such.host.invalid'), rule=NAME)
    yield scene('name-unknown-without-port', tcp('', 'no.such.host.invalid'), rule=NAME)
    d = '/vm/d'
    yield scene('socket', unix('/vm/nbd'), modes=('root',))
    yield scene('socket-directory-missing', unix('/vm/none/s'), rule=MISSING, modes=ALL)
    yield scene('socket-below-file', unix('/vm/f/s'), rule=MISSING, before=('touch /vm/f',))
    yield scene('socket-is-directory', unix(d), rule=SOCKET, before=(f'mkdir {d}',))
    yield scene('socket-is-file', unix('/vm/f'), before=('touch /vm/f',))
    yield scene('socket-is-dangling-link', unix('/vm/l'), before=('ln -s none /vm/l',))
    yield scene('socket-is-link-to-directory', unix('/vm/l'), before=(f'mkdir {d}', 'ln -s d /vm/l'))
    yield scene('socket-read-only', unix('/vm/m/s'), rule=READ_ONLY, before=mount('/vm/m', '-o ro'), clean=umount('/vm/m'))
    yield scene('socket-in-proc', unix('/proc/s'), rule=DENIED)
    yield scene('socket-in-sys', unix('/sys/s'), rule=DENIED)
    yield scene('socket-directory-of-root', unix(f'{d}/s'), rule=DENIED, before=(f'mkdir -m 755 {d}',), modes=('user', 'session'))
    yield scene('socket-directory-of-user', unix(f'{d}/s'), before=(f'mkdir -m 700 {d}', f'chown $QEMU_USER {d}'), modes=('user', 'session'))
    yield scene('socket-directory-closed', unix(f'{d}/e/s'), rule=DENIED, before=(f'mkdir -m 700 {d}', f'mkdir -m 777 {d}/e'), modes=('user', 'session'))
    yield scene('socket-sticky', unix(f'{d}/s'), before=(f'mkdir -m 1777 {d}',), modes=('user', 'session'))
    yield scene('socket-sticky-stale', unix(f'{d}/s'), rule=DENIED, before=(f'mkdir -m 1777 {d}', f'touch {d}/s'), modes=('user', 'session'))
    yield scene('socket-sticky-own', unix(f'{d}/s'), before=(f'mkdir -m 1777 {d}', f'touch {d}/s', f'chown $QEMU_USER {d}/s'), modes=('user', 'session'))
    yield scene('socket-stale-in-closed', unix(f'{d}/s'), rule=DENIED, before=(f'mkdir -m 755 {d}', f'touch {d}/s'), modes=('user',))
    tls = tcp(" port='10809' tls='yes'")
    yield scene('tls-no-directory', tls, rule=TLS)
    yield scene('tls-unix-no-directory', pull(scratch('vda'), server="<server transport='unix' socket='/vm/nbd' tls='yes'/>"), rule=TLS)
    yield scene('tls-no', tcp(" port='10809' tls='no'"))
    pki = ('mkdir -p /etc/pki/qemu', 'cp /opt/pki/* /etc/pki/qemu/', 'chmod 644 /etc/pki/qemu/*')
    rest = {'clean': ('rm -rf /etc/pki',)}
    yield scene('tls', tls, before=pki, modes=ALL, **rest)
    for name in ('ca-cert', 'server-cert', 'server-key'):
        yield scene(f'tls-without-{name}', tls, rule=TLS, before=(*pki, f'rm /etc/pki/qemu/{name}.pem'), **rest)
    yield scene('tls-key-closed', tls, rule=TLS, before=(*pki, 'chmod 600 /etc/pki/qemu/server-key.pem'), modes=('user', 'session'), **rest)
    yield scene('tls-directory-closed', tls, rule=TLS, before=(*pki, 'chmod 700 /etc/pki/qemu'), modes=('user', 'session'), **rest)
    for name, files in (('expired', 'expired'), ('not-yet-valid', 'future'), ('other-ca', 'other-ca'), ('other-key', 'other-key'), ('ca-expired', 'ca-expired'), ('not-pem', 'not-pem'), ('client-certificate', 'client'),
                        ('elliptic-other-key', 'elliptic-other-key')):
        yield scene(f'tls-{name}', tls, rule=TLS, before=(*pki, f'cp /opt/pki-{files}/* /etc/pki/qemu/'), **rest)
    yield scene('tls-elliptic', tls, before=(*pki, 'cp /opt/pki-elliptic/* /etc/pki/qemu/'), **rest)
    yield scene('tls-own-directory', tls, rule=TLS, before=('mkdir -p /etc/pki/libvirt-backup', 'cp /opt/pki/* /etc/pki/libvirt-backup/'), **rest)
    yield scene('tls-own-directory-empty', tls, before=(*pki, 'mkdir -p /etc/pki/libvirt-backup'), **rest)


def jobs():
    yield scene('job-none', push(to('vda')), modes=ALL)
    begin = "printf '%s' \"" + pull(scratch('vda', '/vm/running')).replace('\n', '') + '" > running.xml'
    yield scene('job-pull', push(to('vda')), rule=JOB, before=(begin, 'virsh backup-begin preflight running.xml'))
    yield scene('job-pull-other-disk', push(to('vdb')), TWO, JOB, before=(begin, 'virsh backup-begin preflight running.xml'))
    copy = "virsh blockcopy preflight vda /vm/copy --transient-job"
    yield scene('job-copy', push(to('vda')), rule=None, before=(copy,))
    yield scene('job-copy-other-disk', push(to('vdb')), TWO, before=(copy,))
    chain = (disk('vda', 'qcow2', size='64M', prepare=(image('/vm/base', size='64M'), "qemu-io -c 'write 0 64M' /vm/base >/dev/null", image('/vm/vda.qcow2', options='-b /vm/base -F qcow2', size=''))), qcow2('vdb'))
    slow = 'virsh blockpull preflight vda --bandwidth 1'
    yield scene('job-blockpull', push(to('vda')), chain, JOB, before=(slow,))
    yield scene('job-blockpull-other-disk', push(to('vdb')), chain, before=(slow,))
    yield scene('domain-stopped', push(to('vda')), rule=STOPPED, stopped=True, modes=ALL)
    yield scene('domain-running', push(to('vda')), before=('virsh resume preflight',))


TABLE = [scenario for part in (new_file, permissions, space, device, reused, bitmaps, secrets, servers, jobs) for scenario in part()]
