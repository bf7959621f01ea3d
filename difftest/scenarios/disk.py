"""Kinds of disks that are backed up."""

from .words import Disk, Scenario, block, checkpoint, covers, disk, empty, image, out, pull, push, qcow2, raw, scratch, to

STOPPED = 'advice/inactive-domain'
JOBS = 'qemu/unsupported-disk'
NONE = 'qemu/no-disks'
NO_MEDIA = 'align/no-media'
TRANSIENT = qcow2('vda', inside='<transient/>')
SHARED_TRANSIENT = qcow2('vda', inside="<transient shareBacking='yes'/>")
USB = qcow2('sda', bus='usb')
FLOPPY = disk('fda', 'raw', bus='fdc', device='floppy', size='1440k')
CDROM = disk('hdc', 'raw', path='/vm/cd.iso', bus='ide', device='cdrom', inside='<readonly/>')
READ_ONLY = qcow2('vdb', inside='<readonly/>')
NBD = Disk("<disk type='network' device='disk'><driver name='qemu' type='raw'/>"
           "<source protocol='nbd' name='x'><host transport='unix' socket='/vm/served'/></source><target dev='vda' bus='virtio'/></disk>",
           (image('/vm/served.img', 'raw'), 'qemu-nbd --fork --persistent --format raw --socket /vm/served --export-name x --pid-file /vm/pid /vm/served.img'),
           ('kill $(cat /vm/pid)',))
NBD_QCOW2 = Disk(NBD.xml.replace("type='raw'/>", "type='qcow2'/>"), (image('/vm/served.img', 'qcow2'), NBD.prepare[1]), NBD.clean)
VOLUME = Disk("<disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='preflight' volume='one'/>"
              "<target dev='vda' bus='virtio'/></disk>",
              ('mkdir /vm/pool', 'virsh pool-create-as preflight dir --target /vm/pool',
               'virsh vol-create-as preflight one 1M --format qcow2'), ('virsh pool-destroy preflight',))
DIRECTORY = Disk("<disk type='dir' device='disk'><driver name='qemu' type='fat'/><source dir='/vm/folder'/>"
                 "<target dev='vda' bus='virtio'/><readonly/></disk>", ('mkdir /vm/folder',))
VHOST_USER = Disk("<disk type='vhostuser' device='disk'><driver name='qemu' type='raw'/><source type='unix' path='/vm/vhost'/>"
                  "<target dev='vda' bus='virtio'/></disk>",
                  (image('/vm/served.img', 'raw'), '(qemu-storage-daemon --blockdev file,filename=/vm/served.img,node-name=f '
                   '--export vhost-user-blk,id=e,node-name=f,addr.type=unix,addr.path=/vm/vhost,writable=on --pidfile /vm/pid --daemonize)'),
                  ('kill $(cat /vm/pid)',))
SD = qcow2('sda', bus='sd')
BOARD = {'arch': 'armv7l', 'machine': 'xilinx-zynq-a9'}
SHARED = 'qemu/shared-image'
ONE_IMAGE = {'path': '/vm/one', 'inside': '<shareable/>'}
ONE_IMAGE_READ_ONLY = {'path': '/vm/one', 'inside': '<shareable/><readonly/>'}
COPYING = {'before': ('virsh blockcopy preflight vda /vm/copy --transient-job --wait',)}
TWO = (qcow2('vda'), qcow2('vdb'))
SHARED_MEMORY = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"

TABLE = [
    Scenario('domain-stopped', push(to('vda')), (qcow2('vda'),), STOPPED, stopped=True),
    Scenario('domain-stopped-pull', pull(scratch('vda')), (qcow2('vda'),), STOPPED, stopped=True),
    Scenario('domain-stopped-unknown-disk', push(to('vdz')), (qcow2('vda'),), STOPPED, stopped=True),
    Scenario('domain-stopped-bad-checkpoint', push(to('vda')), (qcow2('vda'),), 'checkpoint/invalid-name', stopped=True, checkpoint=checkpoint('../foo')),
    Scenario('domain-stopped-bad-backup', push("<disk name='vda' type='fil'/>"), (qcow2('vda'),), 'schema/unknown-value', stopped=True),
    Scenario('none-taken', push(out('vda')), (qcow2('vda'),), NONE),
    Scenario('none-taken-of-two', push(out('vda'), out('vdb')), (qcow2('vda'), qcow2('vdb')), NONE),
    Scenario('none-taken-pull', pull(out('vda')), (qcow2('vda'),), NONE),
    Scenario('none-taken-with-checkpoint', push(out('vda')), (qcow2('vda'),), NONE, checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('none-to-take-cdrom', push(), (CDROM,), NONE),
    Scenario('none-to-take-empty', push(), (empty(),), NONE),
    Scenario('none-to-take-read-only', push(), (READ_ONLY,), NONE),
    Scenario('none-to-take-no-disks', push(), (), 'align/no-domain-disks'),
    Scenario('one-to-take-beside-cdrom', push(), (CDROM, READ_ONLY, empty('hdb'), qcow2('vda'))),
    Scenario('read-only-listed', push(to('vdb')), (READ_ONLY,)),
    Scenario('read-only-listed-pull', pull(scratch('vdb')), (READ_ONLY,)),
    Scenario('cdrom-listed', push(to('hdc')), (CDROM, qcow2('vda'))),
    Scenario('cdrom-empty-listed', push(to('hdc')), (empty(), qcow2('vda')), NO_MEDIA),
    Scenario('cdrom-empty-left-out', push(out('hdc'), to('vda')), (empty(), qcow2('vda'))),
    Scenario('floppy-listed', push(to('fda')), (FLOPPY,)),
    Scenario('floppy-empty-listed', push(to('fda')), (empty('fda', 'fdc', 'floppy'), qcow2('vda')), NO_MEDIA),
    Scenario('transient', push(to('vda')), (TRANSIENT,), 'qemu/transient-disk'),
    Scenario('transient-pull', pull(scratch('vda')), (TRANSIENT,), 'qemu/transient-disk'),
    Scenario('transient-shared-backing', push(to('vda')), (SHARED_TRANSIENT,), 'qemu/transient-disk', domain='<features><acpi/></features>'),
    Scenario('transient-not-listed', push(), (TRANSIENT,), 'qemu/transient-disk'),
    Scenario('transient-not-listed-beside', push(to('vdb')), (TRANSIENT, qcow2('vdb'))),
    Scenario('transient-left-out', push(out('vda'), to('vdb')), (TRANSIENT, qcow2('vdb'))),
    Scenario('transient-alone-left-out', push(out('vda')), (TRANSIENT,), NONE),
    Scenario('usb', push(to('sda')), (USB,), usb=True),
    Scenario('scsi', push(to('sda')), (qcow2('sda', bus='scsi'),)),
    Scenario('ide', push(to('hda')), (qcow2('hda', bus='ide'),)),
    Scenario('sata', push(to('sda')), (qcow2('sda', bus='sata'),), machine='q35'),
    Scenario('nbd', push(to('vda')), (NBD,)),
    Scenario('nbd-pull', pull(scratch('vda')), (NBD,)),
    Scenario('nbd-generated', push("<disk name='vda'/>"), (NBD,), 'align/no-file-name'),
    Scenario('nbd-qcow2-checkpoint', push(to('vda')), (NBD_QCOW2,), checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('nbd-raw-checkpoint', push(to('vda')), (NBD,), 'checkpoint/unsupported-format', checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('volume', push(to('vda')), (VOLUME,)),
    Scenario('volume-generated', push("<disk name='vda'/>"), (VOLUME,)),
    Scenario('volume-checkpoint', push(to('vda')), (VOLUME,), checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('directory', push(to('vda', '/vm/one', 'raw')), (DIRECTORY,)),
    Scenario('vhost-user', push(to('vda')), (VHOST_USER,), JOBS, domain=SHARED_MEMORY),
    Scenario('vhost-user-pull', pull(scratch('vda')), (VHOST_USER,), JOBS, domain=SHARED_MEMORY),
    Scenario('vhost-user-not-listed', push(), (VHOST_USER, qcow2('vdb')), 'align/no-file-name', domain=SHARED_MEMORY),
    Scenario('vhost-user-beside', push(to('vdb')), (VHOST_USER, qcow2('vdb')), domain=SHARED_MEMORY),
    Scenario('block-to-file', push(to('vda')), (block('vda'),)),
    Scenario('block-generated', push("<disk name='vda'/>"), (block('vda'),), 'align/no-file-name'),
    Scenario('block-raw-to-file', push(to('vda')), (block('vda', 'raw'),)),
    Scenario('block-pull', pull(scratch('vda')), (block('vda'),)),
    Scenario('block-not-listed', push(), (block('vda'), qcow2('vdb')), 'align/no-file-name'),
    Scenario('size-zero', push(to('vda')), (qcow2('vda', size='0'),)),
    Scenario('size-zero-raw', push(to('vda', '/vm/one', 'raw')), (raw('vda', size='0'),)),
    Scenario('size-zero-pull', pull(scratch('vda')), (qcow2('vda', size='0'),)),
    Scenario('shareable', push(to('vda')), (raw('vda', inside='<shareable/>'),)),
    Scenario('shareable-twice', push(to('vda'), to('vdb')),
             (raw('vda', path='/vm/one', inside='<shareable/>'), raw('vdb', path='/vm/one', inside='<shareable/>')), 'qemu/shared-image'),
    Scenario('shareable-twice-one-taken', push(to('vda'), out('vdb')),
             (raw('vda', path='/vm/one', inside='<shareable/>'), raw('vdb', path='/vm/one', inside='<shareable/>')), 'qemu/shared-image'),
    Scenario('shareable-twice-pull', pull(scratch('vda'), scratch('vdb')),
             (raw('vda', path='/vm/one', inside='<shareable/>'), raw('vdb', path='/vm/one', inside='<shareable/>')), 'qemu/shared-image'),
    Scenario('start-up-policy', push(), (Disk(CDROM.xml.replace("iso'/>", "iso' startupPolicy='optional'/>"), ()), qcow2('vda'))),
    Scenario('chain', push(to('vda')), (disk('vda', 'qcow2', prepare=(
        image('/vm/base.qcow2'), image('/vm/vda.qcow2', options='-b /vm/base.qcow2 -F qcow2', size=''))),)),
    Scenario('copying', push(to('vda')), (qcow2('vda'),), 'qemu/running-job', **COPYING),
    Scenario('another-backup', push(to('vda')), (qcow2('vda'),), host=True,
             before=("echo \"<domainbackup mode='pull'><server transport='unix' socket='/vm/first'/></domainbackup>\" > first.xml",
                     'virsh backup-begin preflight first.xml')),
    Scenario('sd', push(to('sda')), (SD,), JOBS, **BOARD),
    Scenario('sd-pull', pull(scratch('sda')), (SD,), JOBS, **BOARD),
    Scenario('sd-left-out', push(out('sda')), (SD,), NONE, **BOARD),
    Scenario('cdroms-of-one-image', push(to('hdc'), to('hdd')), (CDROM, Disk(CDROM.xml.replace('hdc', 'hdd')), qcow2('vda'))),
    Scenario('cdroms-of-one-image-not-taken', push(to('vda')), (CDROM, Disk(CDROM.xml.replace('hdc', 'hdd')), qcow2('vda'))),
    Scenario('shareable-twice-none-taken', push(to('vdc')), (raw('vda', **ONE_IMAGE), raw('vdb', **ONE_IMAGE), qcow2('vdc'))),
    Scenario('shareable-twice-one-taken-pull', pull(scratch('vda'), out('vdb')), (raw('vda', **ONE_IMAGE), raw('vdb', **ONE_IMAGE)), SHARED),
    Scenario('shareable-twice-other-read-only', push(to('vda')), (raw('vda', **ONE_IMAGE), raw('vdb', **ONE_IMAGE_READ_ONLY))),
    Scenario('shareable-twice-taken-read-only', push(to('vdb')), (raw('vda', **ONE_IMAGE), raw('vdb', **ONE_IMAGE_READ_ONLY)), SHARED),
    Scenario('shareable-twice-both-read-only', push(to('vdb')), (raw('vda', **ONE_IMAGE_READ_ONLY), raw('vdb', **ONE_IMAGE_READ_ONLY))),
    Scenario('shareable-device-twice', push(to('vda'), out('vdb')), (
        block('vda', 'raw', inside='<shareable/>'), Disk(block('vda', 'raw', inside='<shareable/>').xml.replace("dev='vda'", "dev='vdb'"))), SHARED),
    Scenario('copying-left-out', push(out('vda'), to('vdb')), TWO, **COPYING),
    Scenario('copying-not-listed', push(to('vdb')), TWO, **COPYING),
    Scenario('copying-pull', pull(scratch('vda')), TWO, 'qemu/running-job', **COPYING),
    Scenario('copying-checkpointed', push(to('vdb')), TWO, checkpoint=checkpoint('cp1', *covers('vda', 'vdb')), **COPYING),
    Scenario('copying-onto-the-copy', push(to('vdb', '/vm/copy')), TWO, 'qemu/destination-in-use', **COPYING),
    Scenario('copying-onto-the-copy-reused', push(to('vdb', '/vm/copy')), TWO, 'qemu/destination-in-use', reuse=True, **COPYING),
    Scenario('nbd-beside', push(to('vda'), to('vdb')), (NBD, qcow2('vdb'))),
]
