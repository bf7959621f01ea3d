"""Typical domains: backing chains, devices, drives of many kinds."""

from .words import Disk, Scenario, block, checkpoint, covers, disk, empty, image, loop, out, pull, push, qcow2, raw, scratch, to, to_device, unloop

TEMPORARY = 'checkpoint/temporary-bitmap'
TAKEN, BUSY = 'qemu/destination-in-use', 'qemu/destination-in-use'
DEEP = (disk('vda', 'qcow2', prepare=(image('/vm/a'), image('/vm/b', options='-b /vm/a -F qcow2', size=''),
                                      image('/vm/vda.qcow2', options='-b /vm/b -F qcow2', size=''))),)
ON_DEVICE = (disk('vda', 'qcow2', prepare=(*loop('/vm/base.dev', '/vm/base.loop'), image('/vm/base.dev'),
                                           image('/vm/vda.qcow2', options='-b /vm/base.dev -F qcow2', size=''))),)
NO_DEVICE = (unloop('/vm/base.dev'),)
SLICED = Disk("<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/vm/vda.img'><slices><slice type='storage' offset='65536' size='1048576'/></slices>"
              "</source><target dev='vda' bus='virtio'/></disk>", (image('/vm/vda.img', 'raw', '4M'),))
TWO = (qcow2('vda'), qcow2('vdb'))
BOTH = (checkpoint('cp1', *covers('vda', 'vdb')),)
NAMED_OTHER = checkpoint('backup-vda', *covers('vdb', no=('vda',)))
NAMED = checkpoint('backup-vda', *covers('vda'))
MANY = (qcow2('vda'), raw('vdb'), empty('hdc'), qcow2('sda', bus='scsi'), raw('sdb', bus='scsi', inside='<readonly/>'))
CP1 = (checkpoint('cp1', *covers('vda')),)
DUMPED = ("<domaincheckpoint>\n  <name>cp2</name>\n  <parent>\n    <name>cp1</name>\n  </parent>\n  <creationTime>1700000000</creationTime>\n  <disks>\n"
          "    <disk name='vda' checkpoint='bitmap' bitmap='cp2'/>\n    <disk name='hdc' checkpoint='no'/>\n  </disks>\n</domaincheckpoint>\n")

TABLE = [
    Scenario('deep-chain', push(to('vda')), DEEP),
    Scenario('deep-chain-onto-its-root', push(to('vda', '/vm/a')), DEEP, TAKEN),
    Scenario('deep-chain-onto-its-root-reused', push(to('vda', '/vm/a')), DEEP, BUSY, reuse=True),
    Scenario('deep-chain-onto-its-middle-reused', push(to('vda', '/vm/b')), DEEP, BUSY, reuse=True),
    Scenario('deep-chain-other-disk-onto-its-root-reused', push(to('vdb', '/vm/a')), (*DEEP, qcow2('vdb')), BUSY, reuse=True),
    Scenario('deep-chain-onto-its-root-as-device', push(to_device('vda', '/vm/a')), DEEP, BUSY),
    Scenario('device-chain', push(to('vda')), ON_DEVICE, clean=NO_DEVICE),
    Scenario('device-chain-onto-base', push(to_device('vda', '/vm/base.dev')), ON_DEVICE, BUSY, clean=NO_DEVICE),
    Scenario('device-chain-onto-base-reused', push(to_device('vda', '/vm/base.dev')), ON_DEVICE, BUSY, reuse=True, clean=NO_DEVICE),
    Scenario('device-chain-onto-base-as-file', push(to('vda', '/vm/base.dev')), ON_DEVICE, TAKEN, clean=NO_DEVICE),
    Scenario('shared-base', push(to('vda'), to('vdb')), (
        disk('vda', 'qcow2', prepare=(image('/vm/base'), image('/vm/vda.qcow2', options='-b /vm/base -F qcow2', size=''))),
        disk('vdb', 'qcow2', prepare=(image('/vm/vdb.qcow2', options='-b /vm/base -F qcow2', size=''),)))),
    Scenario('slice', push(to('vda')), (SLICED,)),
    Scenario('slice-pull', pull(scratch('vda')), (SLICED,)),
    Scenario('slice-generated', push(), (SLICED,)),
    Scenario('iothread', push(to('vda')), (qcow2('vda', driver=" iothread='1'"),), domain='<iothreads>1</iothreads>'),
    Scenario('block-size', push(to('vda')), (qcow2('vda', inside="<blockio logical_block_size='4096' physical_block_size='4096'/>"),)),
    Scenario('copy-on-read', push(to('vda')), (qcow2('vda', driver=" copy_on_read='on'"),)),
    Scenario('cache-modes', push(to('vda')), (qcow2('vda', driver=" cache='writethrough' discard='unmap' detect_zeroes='unmap'"),)),
    Scenario('throttled', push(to('vda')), (qcow2('vda', inside='<iotune><total_bytes_sec>1000000</total_bytes_sec></iotune>'),)),
    Scenario('many-disks', push(), MANY),
    Scenario('many-disks-checkpoint', push(), MANY, 'checkpoint/unsupported-format', checkpoint=checkpoint('cp1')),
    Scenario('many-disks-checkpoint-listed', push(), MANY, checkpoint=checkpoint('cp1', *covers('vda', 'sda'))),
    Scenario('many-disks-pull', pull(), MANY, checkpoint=checkpoint('cp1', *covers('sda', 'vda'))),
    Scenario('ioemu-name', push("<disk name='ioemu:hda' type='file'><target file='/vm/one'/></disk>"), (qcow2('hda', bus='ide'),), 'align/no-such-disk'),
    Scenario('transient-domain', push(to('vda')), (qcow2('vda'),), host=True, before=('virsh undefine preflight',)),
    Scenario('transient-domain-checkpoint', push(to('vda')), (qcow2('vda'),), host=True, before=('virsh undefine preflight',), checkpoint=CP1[0]),
    Scenario('running', push(to('vda')), (qcow2('vda'),), before=('virsh resume preflight',)),
    Scenario('push-from-checkpoint-of-the-temporary-name', push(to('vda'), incremental='backup-vda'), (qcow2('vda'),), TEMPORARY, existing=(NAMED,)),
    Scenario('push-with-checkpoint-of-the-temporary-name', push(to('vda'), incremental='cp1'), (qcow2('vda'),), TEMPORARY, checkpoint=NAMED, existing=CP1),
    Scenario('push-full-with-checkpoint-of-the-temporary-name', push(to('vda')), (qcow2('vda'),), checkpoint=NAMED),
    Scenario('push-beside-checkpoint-of-the-temporary-name', push(to('vda'), incremental='cp1'), (qcow2('vda'),), TEMPORARY, existing=(*CP1, NAMED)),
    Scenario('pull-beside-checkpoint-of-the-temporary-name', pull(scratch('vda'), incremental='cp1'), (qcow2('vda'),), existing=(*CP1, NAMED)),
    Scenario('checkpoint-as-dumped', push(to('vda')), (qcow2('vda'), empty()), checkpoint=DUMPED, existing=CP1),
    Scenario('unnamed-checkpoint-generated', push(), (qcow2('vda'),), checkpoint='<domaincheckpoint/>'),
    Scenario('generated-reused', push(), (qcow2('vda'),), host=True, reuse=True, checkpoint=CP1[0]),
    Scenario('generated-reused-existing', push(), (qcow2('vda'),), reuse=True, checkpoint=CP1[0], prepare=(image('/vm/vda.qcow2.cp1'),)),
    Scenario('generated-exists', push(), (qcow2('vda'),), host=True, checkpoint=CP1[0], prepare=('touch /vm/vda.qcow2.cp1',)),
    Scenario('all-disks-left-out-but-one', push(to('vda'), out('vdb'), out('hdc')), (qcow2('vda'), raw('vdb'), empty())),
    Scenario('null-device', push(to_device('vda', '/dev/null')), (qcow2('vda'),), host=True),
    Scenario('null-device-raw', push(to_device('vda', '/dev/null', 'raw')), (qcow2('vda'),), host=True),
    Scenario('null-file', push(to('vda', '/dev/null')), (qcow2('vda'),), host=True),
    Scenario('pull-generated-of-device', pull("<disk name='vda'/>"), (block('vda'),), 'align/no-file-name'),
    Scenario('pull-block-type-in-push-generated', push("<disk name='vda' type='block'/>"), (qcow2('vda'),)),
    Scenario('push-beside-checkpoint-of-the-others-temporary-name', push(to('vda'), to('vdb'), incremental='cp1'), TWO, existing=(*BOTH, NAMED_OTHER)),
    Scenario('push-with-checkpoint-of-the-others-temporary-name', push(to('vda'), to('vdb'), incremental='cp1'), TWO, existing=BOTH, checkpoint=NAMED_OTHER),
    Scenario('push-with-checkpoint-of-the-second-temporary-name', push(to('vda'), to('vdb'), incremental='cp1'), TWO, TEMPORARY, existing=BOTH,
             checkpoint=checkpoint('backup-vdb', *covers('vda', 'vdb'))),
    Scenario('push-with-checkpoint-of-the-second-temporary-name-full', push(to('vda'), to('vdb', rest=" backupmode='full'"), incremental='cp1'), TWO, existing=BOTH,
             checkpoint=checkpoint('backup-vdb', *covers('vda', 'vdb'))),
    Scenario('push-after-checkpoint-of-the-temporary-name-deleted', push(to('vda'), incremental='cp1'), (qcow2('vda'),), existing=(*CP1, NAMED),
             before=('virsh checkpoint-delete preflight backup-vda',)),
    Scenario('pull-with-checkpoint-of-the-temporary-name', pull(scratch('vda'), incremental='cp1'), TWO, existing=BOTH, checkpoint=NAMED),
]
