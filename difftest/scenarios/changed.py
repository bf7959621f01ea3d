"""Domains that changed since a checkpoint was made, jobs that run, volumes, and disks by other names."""

from .disk import COPYING, NBD, VOLUME
from .words import Disk, Scenario, block, checkpoint, covers, disk, empty, image, out, pull, push, qcow2, raw, redefined, scratch, to

ONE = (qcow2('vda'),)
TWO = (qcow2('vda'), qcow2('vdb'))
UNCOVERED = 'checkpoint/disk-not-covered'
CP1 = (checkpoint('cp1', *covers('vda')),)
BOTH = (checkpoint('cp1', *covers('vda', 'vdb')),)
RENAMED = redefined("s/dev='vda' bus='virtio'/dev='vdc' bus='virtio'/")
REPLUGGED = redefined("s/dev='sda' bus='scsi'/dev='vda' bus='virtio'/", "/<address type='drive'/d")
NOW_RAW = ('virsh destroy preflight', 'qemu-img convert -O raw /vm/vda.qcow2 /vm/vda.img', *redefined("s/type='qcow2'/type='raw'/", 's/vda.qcow2/vda.img/')[1:])
NOW_READ_ONLY = redefined("s,<source file='/vm/vda.qcow2'/>,&<readonly/>,")
NOW_CDROM = redefined("s/device='disk'/device='cdrom'/", "s/dev='vda' bus='virtio'/dev='hdc' bus='ide'/", "/<address type='pci'.*slot='0x0[2-9]'/d")
SWAPPED = redefined("s/dev='vda'/dev='vdx'/", "s/dev='vdb'/dev='vda'/", "s/dev='vdx'/dev='vdb'/", "/<address type='pci'/d")
COMMIT = {'before': ('virsh snapshot-create-as preflight --disk-only --no-metadata --diskspec vda,file=/vm/over.qcow2', 'virsh blockcommit preflight vda --active --wait')}
COMMIT_TWO = {'before': ('virsh snapshot-create-as preflight --disk-only --no-metadata --diskspec vda,file=/vm/over.qcow2 --diskspec vdb,snapshot=no',
                         'virsh blockcommit preflight vda --active --wait')}
NBD_SLASH = Disk(NBD.xml.replace("name='x'", "name='/x'"), (NBD.prepare[0], NBD.prepare[1].replace('--export-name x', '--export-name /x')), NBD.clean)
NBD_SLASH_QCOW2 = Disk(NBD_SLASH.xml.replace("type='raw'/>", "type='qcow2'/>"), (image('/vm/served.img', 'qcow2'), NBD_SLASH.prepare[1]), NBD.clean)
SCSI = (qcow2('sda', bus='scsi'),)
ADDED = (image('/vm/sdb.qcow2'), 'virsh attach-disk preflight /vm/sdb.qcow2 sdb --targetbus scsi --subdriver qcow2 --live')
DIR = Disk("<disk type='dir' device='disk'><driver name='qemu' type='fat'/><source dir='/vm/folder'/><target dev='vdb' bus='virtio'/><readonly/></disk>", ('mkdir /vm/folder',))

TABLE = [
    Scenario('changed-target', push(to('vdc'), incremental='cp1'), ONE, existing=CP1, before=RENAMED),
    Scenario('changed-target-pull', pull(scratch('vdc'), incremental='cp1'), ONE, existing=CP1, before=RENAMED),
    Scenario('changed-target-checkpointed', push(to('vdc'), incremental='cp1'), ONE, existing=CP1, before=RENAMED, checkpoint=checkpoint('cp2', *covers('vdc'))),
    Scenario('changed-target-of-two', push(to('vdc'), to('vdb'), incremental='cp1'), TWO, existing=BOTH, before=RENAMED),
    Scenario('changed-target-not-listed', push(incremental='cp1'), ONE, existing=CP1, before=RENAMED),
    Scenario('changed-bus', push(to('vda'), incremental='cp1'), (qcow2('sda', bus='scsi'),), existing=(checkpoint('cp1', *covers('sda')),), before=REPLUGGED),
    Scenario('changed-targets-swapped', push(to('vda'), incremental='cp1'), TWO, existing=CP1, before=SWAPPED, host=True),
    Scenario('changed-targets-swapped-other', push(to('vdb'), incremental='cp1'), TWO, existing=CP1, before=SWAPPED, host=True),
    Scenario('changed-to-raw', push(to('vda'), incremental='cp1'), ONE, UNCOVERED, existing=CP1, before=NOW_RAW),
    Scenario('changed-to-raw-pull', pull(scratch('vda'), incremental='cp1'), ONE, UNCOVERED, existing=CP1, before=NOW_RAW),
    Scenario('changed-to-raw-full', push(to('vda', rest=" backupmode='full'"), incremental='cp1'), ONE, existing=CP1, before=NOW_RAW),
    Scenario('changed-to-raw-unknown', push(to('vda'), incremental='cp9'), ONE, 'checkpoint/no-such-checkpoint', existing=CP1, before=NOW_RAW),
    Scenario('changed-to-read-only', push(to('vda'), incremental='cp1'), ONE, existing=CP1, before=NOW_READ_ONLY),
    Scenario('changed-to-read-only-pull', pull(scratch('vda'), incremental='cp1'), ONE, existing=CP1, before=NOW_READ_ONLY),
    Scenario('changed-to-cdrom', push(to('hdc'), incremental='cp1'), ONE, existing=CP1, before=NOW_CDROM),
    Scenario('changed-to-cdrom-pull', pull(scratch('hdc'), incremental='cp1'), ONE, existing=CP1, before=NOW_CDROM),
    Scenario('changed-to-new-image', push(to('vda'), incremental='cp1'), ONE, existing=CP1, host=True,
             before=('virsh destroy preflight', image('/vm/vda.qcow2'), 'virsh start --paused preflight')),
    Scenario('changed-disk-added', push(to('sda'), to('sdb'), incremental='cp1'), SCSI, UNCOVERED, existing=(checkpoint('cp1', *covers('sda')),), before=ADDED),
    Scenario('changed-disk-added-full', push(to('sda'), to('sdb', rest=" backupmode='full'"), incremental='cp1'), SCSI, existing=(checkpoint('cp1', *covers('sda')),), before=ADDED),
    Scenario('changed-disk-removed-other-covered', push(to('vda'), incremental='cp1'), TWO, existing=BOTH, before=(
        'virsh detach-disk preflight vdb --config', 'virsh destroy preflight', 'virsh start --paused preflight')),
    Scenario('changed-disk-replaced', push(to('vdc'), incremental='cp1'), TWO, existing=BOTH, host=True,
             before=('virsh detach-disk preflight vdb --config', image('/vm/vdc.qcow2'), 'virsh attach-disk preflight /vm/vdc.qcow2 vdc --subdriver qcow2 --config',
                     'virsh destroy preflight', 'virsh start --paused preflight')),

    # Jobs that run.
    Scenario('copying-other-checkpointed', push(to('vdb')), TWO, checkpoint=checkpoint('cp1', *covers('vdb')), **COPYING),
    Scenario('copying-other-pull', pull(scratch('vdb')), TWO, **COPYING),
    Scenario('copying-all', push(), TWO, 'qemu/running-job', **COPYING),
    Scenario('committing', push(to('vda')), ONE, 'qemu/running-job', **COMMIT),
    Scenario('committing-other', push(to('vdb')), TWO, **COMMIT_TWO),
    Scenario('committing-checkpoint', push(to('vdb')), TWO, checkpoint=checkpoint('cp1', *covers('vda', 'vdb')), **COMMIT_TWO),
    Scenario('committing-onto-base', push(to('vdb', '/vm/vda.qcow2')), TWO, 'qemu/destination-in-use', **COMMIT_TWO),

    # Volumes.
    Scenario('volume-generated-all', push(), (VOLUME, qcow2('vdb'))),
    Scenario('volume-generated-pull', pull("<disk name='vda'/>"), (VOLUME,)),
    Scenario('volume-generated-block', push("<disk name='vda' type='block'/>"), (VOLUME,)),
    Scenario('volume-generated-twice', push("<disk name='vda'/>", to('vdb', '/vm/pool/one.cp1')), (VOLUME, qcow2('vdb')), host=True, checkpoint=checkpoint('cp1', *covers('vda', 'vdb'))),
    Scenario('volume-onto-itself', push(to('vda', '/vm/pool/one')), (VOLUME,), host=True),
    Scenario('volume-incremental', push(to('vda'), incremental='cp1'), (VOLUME,), existing=CP1),
    Scenario('volume-checkpoint-by-path', push(to('vda')), (VOLUME,), 'checkpoint/no-such-disk', checkpoint=checkpoint('cp1', "<disk name='/vm/pool/one'/>")),

    # A checkpoint's disks by other names.
    Scenario('checkpoint-network-by-name', push(to('vda')), (NBD_SLASH_QCOW2,), checkpoint=checkpoint('cp1', "<disk name='/x'/>")),
    Scenario('checkpoint-network-raw-by-name', push(to('vda')), (NBD_SLASH,), 'checkpoint/unsupported-format', checkpoint=checkpoint('cp1', "<disk name='/x'/>")),
    Scenario('checkpoint-network-by-name-no', push(to('vda')), (NBD_SLASH,), checkpoint=checkpoint('cp1', "<disk name='/x' checkpoint='no'/>")),
    Scenario('checkpoint-network-by-name-and-target', push(to('vda')), (NBD_SLASH, qcow2('vdb')), 'checkpoint/duplicate-disk', checkpoint=checkpoint('cp1', "<disk name='/x' checkpoint='no'/><disk name='vda' checkpoint='no'/>")),
    Scenario('checkpoint-network-by-other-name', push(to('vda')), (NBD_SLASH,), 'checkpoint/no-such-disk', checkpoint=checkpoint('cp1', "<disk name='/y' checkpoint='no'/>")),
    Scenario('checkpoint-directory-by-path', push(to('vda')), (qcow2('vda'), DIR), 'checkpoint/no-media', checkpoint=checkpoint('cp1', "<disk name='/vm/folder'/>")),
    Scenario('checkpoint-directory-by-target', push(to('vda')), (qcow2('vda'), DIR), 'checkpoint/no-media', checkpoint=checkpoint('cp1', "<disk name='vdb'/>")),
    Scenario('checkpoint-directory-by-path-no', push(to('vda')), (qcow2('vda'), DIR), checkpoint=checkpoint('cp1', *covers('vda'), "<disk name='/vm/folder' checkpoint='no'/>")),
    Scenario('checkpoint-by-path-bitmap-other', push(to('vda')), ONE, 'checkpoint/bitmap-name', checkpoint=checkpoint('cp1', "<disk name='/vm/vda.qcow2' bitmap='other'/>")),
    Scenario('checkpoint-unnamed-bitmap', push(to('vda')), ONE, 'checkpoint/bitmap-name', checkpoint=checkpoint(None, "<disk name='vda' bitmap='other'/>")),
    Scenario('checkpoint-by-target-and-path', push(to('vda')), TWO, 'checkpoint/duplicate-disk', checkpoint=checkpoint('cp1', "<disk name='vda'/><disk name='/vm/vda.qcow2'/>")),
    Scenario('checkpoint-by-path-raw', push(to('vda')), (raw('vda'),), 'checkpoint/unsupported-format', checkpoint=checkpoint('cp1', "<disk name='/vm/vda.img'/>")),
    Scenario('checkpoint-by-path-read-only', push(to('vda')), (qcow2('vda', inside='<readonly/>'),), 'checkpoint/no-media', checkpoint=checkpoint('cp1', "<disk name='/vm/vda.qcow2'/>")),
    Scenario('checkpoint-too-many-known', push(to('vda')), ONE, 'checkpoint/duplicate-disk', checkpoint=checkpoint('cp1', *covers('vda', 'vda'))),
    Scenario('checkpoint-too-many-unknown', push(to('vda')), ONE, 'checkpoint/no-such-disk', checkpoint=checkpoint('cp1', *covers('vda', 'vdz'))),

    # Without a list of checkpoints.
    Scenario('unlisted-raw', push(to('vda'), incremental='cp1'), (raw('vda'),), 'checkpoint/no-such-checkpoint'),
    Scenario('unlisted-read-only', push(to('vda'), incremental='cp1'), (qcow2('vda', inside='<readonly/>'),), 'checkpoint/no-such-checkpoint'),
]
