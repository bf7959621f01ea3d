"""The checkpoint that is made with a backup: its document, its disks, its name."""

from .words import Scenario, block, checkpoint, covers, disk, empty, image, pull, push, qcow2, raw, scratch, to

ONE = (qcow2('vda'),)
TWO = (qcow2('vda'), qcow2('vdb'))
MIXED = (qcow2('vda'), raw('vdb'), empty())
UNKNOWN = 'checkpoint/no-such-disk'
DOUBLED = 'checkpoint/duplicate-disk'
READ_ONLY = 'checkpoint/no-media'
NO_MEDIA = 'checkpoint/no-media'
RAW = 'checkpoint/unsupported-format'
BITMAP = 'checkpoint/bitmap-name'
LENGTH = 'checkpoint/name-length'
EXISTS = 'checkpoint/name-exists'
TRANSIENT = 'qemu/unsupported-disk'
IS_BASE = 'checkpoint/name-is-base'
A = covers('vda')
D = "<disks><disk name='vda' checkpoint='bitmap'/></disks>"
CP1 = (checkpoint('cp1', *A),)


def document(name, inside, rule=None, disks=MIXED, **more):
    """A checkpoint of this content, with a push backup of vda."""
    return Scenario('document-' + name, push(to('vda')), disks, rule, checkpoint=inside if inside.startswith('<?') or '<domaincheckpoint' in inside
                    else f'<domaincheckpoint>{inside}</domaincheckpoint>', **more)


def line(name, text, rule=None, disks=MIXED, **more):
    """A checkpoint `cp1` whose only disk is this."""
    return document('disk-' + name, f'<name>cp1</name><disks>{text}</disks>', rule, disks, **more)


def named(name, text, rule='checkpoint/invalid-name'):
    return document('name-' + name, f'<name>{text}</name>{D}', rule)


def with_disks(name, disks, *lines, rule=None, backup=None, existing=(), **more):
    return Scenario('checkpoint-' + name, backup or push(to('vda')), disks, rule, checkpoint=checkpoint('cp2', *lines), existing=existing, **more)


TABLE = [
    document('plain', '<name>cp1</name>' + D),
    document('empty', '', RAW),
    document('empty-all-qcow2', '', disks=TWO),
    document('no-name', D),
    document('no-disks', '<name>cp1</name>', RAW),
    document('no-disks-all-qcow2', '<name>cp1</name>', disks=TWO),
    document('disks-empty', '<name>cp1</name><disks/>', 'checkpoint/empty-disks'),
    document('disks-space', '<name>cp1</name><disks>  </disks>', 'checkpoint/empty-disks'),
    document('disks-first', D + '<description/><name>cp1</name>'),
    document('disks-twice', f'<name>cp1</name>{D}{D}', 'schema/duplicate-element'),
    document('disks-attribute', "<name>cp1</name><disks all='yes'><disk name='vda'/></disks>", 'schema/unknown-attribute'),
    document('description', '<name>cp1</name><description>before the\nupgrade &amp; more</description>' + D),
    document('description-empty', '<name>cp1</name><description/>' + D),
    document('description-child', '<name>cp1</name><description><b>x</b></description>' + D, 'schema/unknown-element'),
    document('description-attribute', "<name>cp1</name><description lang='en'>x</description>" + D, 'schema/unknown-attribute'),
    document('description-twice', '<name>cp1</name><description>a</description><description>b</description>' + D, 'schema/duplicate-element'),
    document('creation-time', '<name>cp1</name><creationTime>1</creationTime>' + D),
    document('creation-time-word', '<name>cp1</name><creationTime>now</creationTime>' + D, 'schema/invalid-number'),
    document('creation-time-negative', '<name>cp1</name><creationTime>-1</creationTime>' + D, 'schema/invalid-number'),
    document('creation-time-empty', '<name>cp1</name><creationTime/>' + D, 'schema/invalid-number'),
    document('creation-time-space', '<name>cp1</name><creationTime> 1 </creationTime>' + D, 'schema/invalid-number'),
    document('creation-time-plus', '<name>cp1</name><creationTime>+1</creationTime>' + D, 'schema/invalid-number'),
    document('creation-time-huge', '<name>cp1</name><creationTime>99999999999999999999</creationTime>' + D, 'schema/invalid-number'),
    document('parent', '<name>cp1</name><parent><name>cp0</name></parent>' + D),
    document('parent-empty', '<name>cp1</name><parent/>' + D, 'schema/missing-element'),
    document('parent-bad-name', '<name>cp1</name><parent><name>../x</name></parent>' + D, 'checkpoint/invalid-name'),
    document('parent-text', '<name>cp1</name><parent>cp0</parent>' + D, 'schema/unexpected-text'),
    document('parent-two-names', '<name>cp1</name><parent><name>a</name><name>b</name></parent>' + D, 'schema/duplicate-element'),
    document('parent-self', '<name>cp1</name><parent><name>cp1</name></parent>' + D),
    document('domain-minimal', "<name>cp1</name><domain type='qemu'><name>x</name><memory>1</memory><os><type>hvm</type></os></domain>" + D),
    document('domain-empty', '<name>cp1</name><domain/>' + D, 'schema/missing-element'),
    document('domain-bad', "<name>cp1</name><domain type='qemu'><name>x</name><memory>1</memory><os><type>hvm</type></os><nonsense/></domain>" + D, host=True),
    document('unknown-element', '<name>cp1</name><state>running</state>' + D, 'schema/unknown-element'),
    document('unknown-attribute', f"<domaincheckpoint mode='push'><name>cp1</name>{D}</domaincheckpoint>", 'schema/unknown-attribute'),
    document('text', f'<name>cp1</name>text{D}', 'schema/unexpected-text'),
    document('comment', f'<!-- a --><name>cp1</name><!-- b -->{D}'),
    document('comment-in-name', f'<name>c<!-- a -->p1</name>{D}'),
    document('cdata-name', f'<name><![CDATA[cp1]]></name>{D}'),
    document('declaration', f"<?xml version='1.0'?>\n<domaincheckpoint><name>cp1</name>{D}</domaincheckpoint>"),
    document('namespace', f"<domaincheckpoint xmlns='http://libvirt.org/x'><name>cp1</name>{D}</domaincheckpoint>", 'schema/namespace'),
    document('unused-namespace', f"<domaincheckpoint xmlns:x='http://libvirt.org/x'><name>cp1</name>{D}</domaincheckpoint>"),
    document('wrong-root', f'<domainsnapshot><name>cp1</name>{D.replace("checkpoint", "snapshot")}</domainsnapshot><!-- <domaincheckpoint -->', 'checkpoint/not-a-checkpoint'),
    document('root-backup', '<!-- <domaincheckpoint --><domainbackup/>', 'checkpoint/not-a-checkpoint'),
    document('not-closed', f'<domaincheckpoint><name>cp1</name>{D}', 'xml/unclosed-element'),
    document('two-roots', f'<domaincheckpoint><name>cp1</name>{D}</domaincheckpoint><x/>', 'xml/outside-root'),
    document('doctype', f'<!DOCTYPE domaincheckpoint><domaincheckpoint><name>cp1</name>{D}</domaincheckpoint>'),

    named('empty', ''),
    named('space', ' '),
    named('space-inside', 'cp 1'),
    named('space-before', ' cp1'),
    named('space-after', 'cp1 '),
    named('line-feeds-around', '\n  cp1\n'),
    named('parent-folder', '../foo'),
    named('slash', 'a/b'),
    named('leading-dot', '.cp1'),
    named('dot-dot', '..'),
    named('colon', 'a:b'),
    named('unicode', 'é'),
    named('child', '<b>cp1</b>', 'schema/unknown-element'),
    named('dots-inside', 'a.b..c', None),
    named('trailing-dot', 'a.', None),
    named('leading-dash', '-a', None),
    named('underscore', '_', None),
    named('digits', '1700000000', None),
    named('as-the-disk', 'vda', None),
    document('name-twice', '<name>cp1</name><name>cp1</name>' + D, 'schema/duplicate-element'),
    document('name-attribute', "<name x='1'>cp1</name>" + D, 'schema/unknown-attribute'),
    *(document(f'name-{length}', f'<name>{"c" * length}</name>{D}', LENGTH if length > 247 else None)
      for length in (246, 247, 248, 251, 252, 255, 256, 1023, 1024)),

    line('plain', "<disk name='vda'/>"),
    line('bitmap', "<disk name='vda' checkpoint='bitmap'/>"),
    line('bitmap-same', "<disk name='vda' checkpoint='bitmap' bitmap='cp1'/>"),
    line('bitmap-same-alone', "<disk name='vda' bitmap='cp1'/>"),
    line('bitmap-other', "<disk name='vda' checkpoint='bitmap' bitmap='other'/>", BITMAP),
    line('bitmap-other-alone', "<disk name='vda' bitmap='other'/>", BITMAP),
    line('bitmap-empty', "<disk name='vda' bitmap=''/>", BITMAP),
    line('bitmap-other-case', "<disk name='vda' bitmap='CP1'/>", BITMAP),
    line('no', "<disk name='vda' checkpoint='no'/>"),
    line('no-with-bitmap', "<disk name='vda' checkpoint='no' bitmap='cp1'/>", 'schema/left-out-disk'),
    line('no-with-size', "<disk name='vda' checkpoint='no' size='1'/>", 'schema/left-out-disk'),
    line('yes', "<disk name='vda' checkpoint='yes'/>", 'schema/unknown-value'),
    line('checkpoint-empty', "<disk name='vda' checkpoint=''/>", 'schema/unknown-value'),
    line('checkpoint-space', "<disk name='vda' checkpoint=' bitmap '/>"),
    line('no-space', "<disk name='vda' checkpoint=' no '/>"),
    line('size', "<disk name='vda' size='1048576'/>"),
    line('size-word', "<disk name='vda' size='big'/>", 'schema/invalid-number'),
    line('size-empty', "<disk name='vda' size=''/>", 'schema/invalid-number'),
    line('size-huge', "<disk name='vda' size='99999999999999999999'/>", 'schema/invalid-number'),
    line('size-largest', "<disk name='vda' size='18446744073709551615'/>"),
    line('size-space', "<disk name='vda' size=' 1 '/>", 'schema/invalid-number'),
    line('size-zeros', "<disk name='vda' size='007'/>"),
    line('unnamed', '<disk/>', 'schema/missing-attribute'),
    line('name-empty', "<disk name=''/>", 'schema/invalid-disk-name'),
    line('name-malformed', "<disk name='disk0'/>", 'schema/invalid-disk-name'),
    line('name-by-path', "<disk name='/vm/vda.qcow2'/>"),
    line('name-by-other-path', "<disk name='/vm/none'/>", UNKNOWN),
    line('name-by-path-spelt-otherwise', "<disk name='/vm//vda.qcow2'/>", UNKNOWN),
    line('name-by-path-and-target', "<disk name='/vm/vda.qcow2'/><disk name='vda'/>", DOUBLED),
    line('child', "<disk name='vda'><x/></disk>", 'schema/unknown-element'),
    line('text', "<disk name='vda'>x</disk>", 'schema/unexpected-text'),
    line('attribute', "<disk name='vda' backup='yes'/>", 'schema/unknown-attribute'),
    line('type-attribute', "<disk name='vda' type='file'/>", 'schema/unknown-attribute'),
    line('element', "<volume name='vda'/>", 'schema/unknown-element'),
    line('unknown', "<disk name='vdz'/>", UNKNOWN),
    line('unknown-no', "<disk name='vdz' checkpoint='no'/>", UNKNOWN),
    line('unknown-second', "<disk name='vda'/><disk name='vdz'/>", UNKNOWN),
    line('twice', "<disk name='vda'/><disk name='vda'/>", DOUBLED),
    line('twice-no', "<disk name='vda'/><disk name='vda' checkpoint='no'/>", DOUBLED),
    line('empty-cdrom', "<disk name='vda'/><disk name='hdc'/>", NO_MEDIA),
    line('empty-cdrom-no', "<disk name='vda'/><disk name='hdc' checkpoint='no'/>"),
    line('raw', "<disk name='vda'/><disk name='vdb'/>", RAW),
    line('raw-bitmap', "<disk name='vda'/><disk name='vdb' checkpoint='bitmap'/>", RAW),
    line('raw-bitmap-other', "<disk name='vda'/><disk name='vdb' bitmap='other'/>", BITMAP),
    line('raw-no', "<disk name='vda'/><disk name='vdb' checkpoint='no'/>"),
    line('too-many', ''.join(f"<disk name='vd{letter}' checkpoint='no'/>" for letter in 'abcd'), 'checkpoint/no-such-disk'),

    with_disks('read-only', (qcow2('vda'), qcow2('vdb', inside='<readonly/>')), *covers('vda', 'vdb'), rule=READ_ONLY),
    with_disks('read-only-no', (qcow2('vda'), qcow2('vdb', inside='<readonly/>')), *covers('vda', no=('vdb',))),
    with_disks('read-only-by-default', (qcow2('vda'), qcow2('vdb', inside='<readonly/>'))),
    with_disks('read-only-plain-line', (qcow2('vda'), qcow2('vdb', inside='<readonly/>')), "<disk name='vda'/>", "<disk name='vdb'/>", rule=READ_ONLY),
    with_disks('cdrom', (qcow2('vda'), disk('hdc', 'raw', bus='ide', device='cdrom')), *covers('vda', 'hdc'), rule=READ_ONLY),
    with_disks('cdrom-by-default', (qcow2('vda'), disk('hdc', 'raw', bus='ide', device='cdrom'))),
    with_disks('floppy-by-default', (qcow2('vda'), disk('fda', 'raw', bus='fdc', device='floppy', size='1440k')), rule=RAW),
    with_disks('empty-cdrom-by-default', (qcow2('vda'), empty())),
    with_disks('raw-by-default', (qcow2('vda'), raw('vdb')), rule=RAW),
    with_disks('raw-by-default-no', (qcow2('vda'), raw('vdb')), *covers('vda', no=('vdb',))),
    with_disks('raw-not-listed', (qcow2('vda'), raw('vdb')), *covers('vda')),
    with_disks('raw-alone', (raw('vda'),), rule=RAW),
    with_disks('raw-device', (block('vda', 'raw'),), rule=RAW),
    with_disks('device', (block('vda'),)),
    with_disks('shareable', (qcow2('vda'), raw('vdb', inside='<shareable/>')), rule=RAW),
    with_disks('transient', (qcow2('vda'), qcow2('vdb', inside='<transient/>')), rule='qemu/transient-disk'),
    with_disks('transient-alone', (qcow2('vda', inside='<transient/>'), qcow2('vdb')), *covers('vda'), backup=push(to('vdb')), rule='qemu/transient-disk'),
    with_disks('vdi', (qcow2('vda'), disk('vdb', 'vdi')), rule=RAW),
    with_disks('qed', (disk('vda', 'qed'),), rule=RAW),
    with_disks('vmdk', (disk('vda', 'vmdk'),), rule=RAW),
    with_disks('qcow2-without-bitmaps', (disk('vda', 'qcow2', prepare=(image('/vm/vda.qcow2', options='-o compat=0.10'),)),), host=True),
    with_disks('chain-over-raw', (disk('vda', 'qcow2', prepare=(image('/vm/base.img', 'raw'),
                                                              image('/vm/vda.qcow2', options='-b /vm/base.img -F raw', size=''))),)),
    with_disks('not-backed-up', TWO, *covers('vda', 'vdb')),
    with_disks('other-disk-only', TWO, *covers('vdb')),
    with_disks('not-checkpointed', TWO, *covers('vda'), backup=push(to('vda'), to('vdb'))),
    with_disks('all-no', TWO, *covers(no=('vda', 'vdb'))),
    with_disks('listed-no-others-left', TWO, *covers(no=('vda',))),
    with_disks('all-read-only', (qcow2('vda', inside='<readonly/>'),)),
    with_disks('all-read-only-no', (qcow2('vda', inside='<readonly/>'),), *covers(no=('vda',))),
    with_disks('pull', TWO, *covers('vda'), backup=pull(scratch('vda'))),

    Scenario('checkpoint-exists', push(to('vda')), ONE, EXISTS, checkpoint=CP1[0], existing=CP1),
    Scenario('checkpoint-exists-as-base', push(to('vda'), incremental='cp1'), ONE, 'checkpoint/name-is-base', checkpoint=CP1[0], existing=CP1),
    Scenario('checkpoint-is-base-not-existing', push(to('vda'), incremental='cp1'), ONE, IS_BASE, checkpoint=CP1[0]),
    Scenario('checkpoint-is-base-of-disk-not-existing', push(to('vda', rest=" incremental='cp1'")), ONE, IS_BASE, checkpoint=CP1[0]),
    Scenario('checkpoint-is-base-of-second-disk-not-existing', push(to('vda'), to('vdb', rest=" incremental='cp1'")), TWO, IS_BASE,
             checkpoint=checkpoint('cp1', *covers('vda', 'vdb'))),
    Scenario('checkpoint-exists-in-other-case', push(to('vda')), ONE, checkpoint=checkpoint('CP1', *A), existing=CP1),
    Scenario('checkpoint-beside', push(to('vda')), ONE, checkpoint=checkpoint('cp2', *A), existing=CP1),
    Scenario('checkpoint-beside-incremental', push(to('vda'), incremental='cp1'), ONE, checkpoint=checkpoint('cp2', *A), existing=CP1),
    Scenario('checkpoint-exists-no-disk-in-common', push(to('vdb')), TWO, EXISTS, checkpoint=checkpoint('cp1', *covers('vdb')), existing=CP1),
    Scenario('checkpoint-after-deleted', push(to('vda')), ONE, checkpoint=CP1[0], existing=CP1, before=('virsh checkpoint-delete preflight cp1',)),
    Scenario('checkpoint-bitmap-left-behind', push(to('vda')), ONE, host=True, checkpoint=CP1[0], existing=CP1,
             before=('virsh checkpoint-delete --metadata preflight cp1',)),
    Scenario('checkpoint-parent-other', push(to('vda')), ONE, checkpoint=checkpoint('cp2', *A, more='<parent><name>none</name></parent>'), existing=CP1),
    Scenario('checkpoint-with-snapshot', push(to('vda')), ONE, host=True, checkpoint=CP1[0],
             before=('virsh snapshot-create-as preflight --disk-only --diskspec vda,file=/vm/over.qcow2',)),
    Scenario('checkpoint-dots-in-generated-name', push(), ONE, checkpoint=checkpoint('a..b', *A)),
    line('name-by-device', "<disk name='/vm/vda.dev'/>", disks=(block('vda'),)),
    line('name-by-path-of-base', "<disk name='/vm/base'/>", UNKNOWN, disks=(
        disk('vda', 'qcow2', prepare=(image('/vm/base'), image('/vm/vda.qcow2', options='-b /vm/base -F qcow2', size=''))),)),
    line('name-by-path-of-two', "<disk name='vda'/><disk name='/vm/one' checkpoint='no'/>", UNKNOWN, disks=(
        qcow2('vda'), raw('vdb', path='/vm/one', inside='<shareable/>'), raw('vdc', path='/vm/one', inside='<shareable/>'))),
    line('name-ioemu', "<disk name='ioemu:vda'/>", UNKNOWN),
    line('name-nvme', "<disk name='nvme0n1'/>", UNKNOWN),
    line('name-upper-case', "<disk name='VDA'/>", 'schema/invalid-disk-name'),
    line('too-many-doubled', "<disk name='vda'/><disk name='vda'/>", 'checkpoint/duplicate-disk', disks=ONE),
    Scenario('checkpoint-is-second-base', push(to('vda', rest=" incremental='cp2'"), incremental='cp1'), ONE, IS_BASE, checkpoint=checkpoint('cp2', *A), existing=CP1),
    Scenario('checkpoint-is-base-of-a-full-disk', push(to('vda', rest=" backupmode='full'"), incremental='cp2'), ONE, checkpoint=checkpoint('cp2', *A), existing=CP1),
    Scenario('checkpoint-is-base-not-covering', push(to('vda'), incremental='cp2'), TWO, IS_BASE, checkpoint=checkpoint('cp2', *covers('vdb')), existing=CP1),
    Scenario('checkpoint-length-pull', pull(scratch('vda')), ONE, LENGTH, checkpoint=checkpoint('c' * 248, *A)),
]
