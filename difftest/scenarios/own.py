"""What the domain itself uses beside its disks: files, sockets, ports; and paths that lead through or around what is in use."""

from .disk import NBD, VOLUME
from .words import Disk, Scenario, block, checkpoint, covers, disk, image, loop, out, pull, push, qcow2, raw, scratch, to, to_device, unloop

ONE = (qcow2('vda'),)
TWO = (qcow2('vda'), qcow2('vdb'))
USED = 'qemu/destination-in-use'
DIRECTORY = 'qemu/directory-destination'
BELOW = 'qemu/destination-below-file'
PORT = 'qemu/port-in-use'
FILES = "ls -A /vm | grep -v -e xml -e '^log$'"

AGENT = {'devices': "<channel type='unix'><source mode='bind' path='/vm/own'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"}
AGENT_AUTO = {'devices': "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"}
SERIAL = {'devices': "<serial type='unix'><source mode='bind' path='/vm/own'/></serial>"}
CONNECTED = {'devices': "<serial type='unix'><source mode='connect' path='/vm/own'/></serial>",
             'prepare': (image('/vm/served.img', 'raw'), 'qemu-nbd --fork --persistent --format raw --socket /vm/own --pid-file /vm/pid /vm/served.img'),
             'clean': ('kill $(cat /vm/pid)',)}
FILE = {'devices': "<serial type='file'><source path='/vm/own'/></serial>"}
LOG = {'devices': "<serial type='pty'><log file='/vm/own' append='off'/></serial>"}
CONSOLE = {'devices': "<console type='file'><source path='/vm/own'/><target type='virtio'/></console>"}
PARALLEL = {'devices': "<parallel type='file'><source path='/vm/own'/></parallel>"}
VNC = {'devices': "<graphics type='vnc' socket='/vm/own'/><video><model type='none'/></video>"}
KERNEL = {'os': '<kernel>/vm/own</kernel>', 'arch': 'armv7l', 'machine': 'virt', 'prepare': ('head -c 64k /dev/zero >/vm/own',)}
INITRD = {**KERNEL, 'os': '<kernel>/vm/kernel</kernel><initrd>/vm/own</initrd>', 'prepare': ('head -c 64k /dev/zero >/vm/own', 'cp /vm/own /vm/kernel')}
DTB = {**INITRD, 'os': '<kernel>/vm/kernel</kernel><dtb>/vm/own</dtb>',
       'prepare': ('qemu-system-arm -machine virt,dumpdtb=/vm/own', 'head -c 64k /dev/zero >/vm/kernel')}
NVRAM = {'domain': '<features><acpi/></features>', 'os': "<loader readonly='yes' type='pflash'>/vm/code</loader><nvram>/vm/own</nvram>", 'prepare': ('head -c 256k /dev/zero >/vm/code', 'head -c 256k /dev/zero >/vm/own')}
LOADER = {**NVRAM, 'os': "<loader readonly='yes' type='pflash'>/vm/own</loader><nvram>/vm/nvram</nvram>", 'prepare': ('head -c 256k /dev/zero >/vm/nvram', 'head -c 256k /dev/zero >/vm/own')}
FOLDER = {'devices': "<filesystem type='mount' accessmode='mapped'><source dir='/vm/own'/><target dir='x'/></filesystem>", 'prepare': ('mkdir /vm/own',)}
OWN = {'agent': AGENT, 'serial-socket': SERIAL, 'connected-socket': CONNECTED, 'serial-file': FILE, 'log': LOG, 'console-file': CONSOLE, 'parallel-file': PARALLEL, 'vnc-socket': VNC,
       'nvram': NVRAM, 'loader': LOADER}
SOCKET = "<server transport='unix' socket='/vm/own'/>"

VNC_PORT = "<graphics type='vnc' port='5999' autoport='no' listen='{0}'/><video><model type='none'/></video>"
WEBSOCKET = "<graphics type='vnc' port='5998' websocket='5999' autoport='no' listen='{0}'/><video><model type='none'/></video>"
SERIAL_PORT = "<serial type='tcp'><source mode='bind' host='{0}' service='5999'/><protocol type='raw'/></serial>"
TELNET_PORT = "<serial type='tcp'><source mode='bind' host='{0}' service='5999'/><protocol type='telnet'/></serial>"
AUTO = "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/><video><model type='none'/></video>"
CONNECTING = "<serial type='tcp'><source mode='connect' host='127.0.0.1' service='22222'/><protocol type='raw'/></serial>"
UDP = "<serial type='udp'><source mode='connect' host='127.0.0.1' service='5999'/><source mode='bind' host='127.0.0.1' service='5999'/></serial>"


def tcp(name, port='5999'):
    return pull(scratch('vda'), server=f"<server name='{name}' port='{port}'/>")


def port(name, device, listens, server, rule):
    return Scenario(f'own-port-{name}-{listens.replace(":", "-")}-for-{server.replace(":", "-")}', tcp(server), ONE, rule, devices=device.format(listens))


def through(name, path, rule=BELOW, **more):
    return Scenario(f'own-path-{name}', push(to('vda', path)), TWO, rule, **more)


TABLE = [
    *(Scenario(f'own-{name}', push(to('vda', '/vm/own')), ONE, USED, **what) for name, what in OWN.items()),
    *(Scenario(f'own-{name}-other', push(to('vda', '/vm/other')), ONE, **what) for name, what in OWN.items()),
    *(Scenario(f'own-{name}-reused-raw', push(to('vda', '/vm/own', 'raw')), ONE, USED if 'socket' in name or name == 'agent' else None, reuse=True,
               host='socket' not in name and name != 'agent', **what) for name, what in OWN.items()),
    *(Scenario(f'own-{name}-as-socket', pull(scratch('vda'), server=SOCKET), ONE, after=(FILES,), **what) for name, what in OWN.items()),
    *(Scenario(f'own-{name}-as-scratch', pull(scratch('vda', '/vm/own')), ONE, USED, **what) for name, what in (('agent', AGENT), ('log', LOG), ('nvram', NVRAM))),
    *(Scenario(f'own-{name}', push(to('vda', '/vm/own')), ONE, USED, **what) for name, what in (('kernel', KERNEL), ('initrd', INITRD), ('dtb', DTB))),
    Scenario('own-kernel-as-socket', pull(scratch('vda'), server=SOCKET), ONE, after=(FILES,), **KERNEL),
    Scenario('own-folder', push(to('vda', '/vm/own')), ONE, USED, **FOLDER),
    Scenario('own-folder-below', push(to('vda', '/vm/own/vda')), ONE, **FOLDER),
    Scenario('own-log-of-qemu', push(to('vda', '/var/log/libvirt/qemu/preflight.log')), ONE, USED),
    Scenario('own-agent-socket-chosen-by-libvirt', push(to('vda')), ONE, **AGENT_AUTO),
    Scenario('own-nbd-socket', push(to('vda', '/vm/served')), (NBD,), USED),
    Scenario('own-nbd-socket-as-socket', pull(scratch('vda'), server="<server transport='unix' socket='/vm/served'/>"), (NBD,), after=(FILES,)),
    Scenario('own-scratch-as-socket', pull(scratch('vda'), server="<server transport='unix' socket='/vm/vda.scratch'/>"), ONE, after=(FILES, "ls -l /vm/vda.scratch | cut -c1")),
    Scenario('own-image-as-socket', pull(scratch('vda'), server="<server transport='unix' socket='/vm/vdb.qcow2'/>"), TWO, after=(FILES, "ls -l /vm/vdb.qcow2 | cut -c1")),
    Scenario('own-device-as-socket', pull(scratch('vda'), server="<server transport='unix' socket='/vm/vdb.dev'/>"), (qcow2('vda'), block('vdb')), host=True, after=(FILES, "ls -l /vm/vdb.dev | cut -c1")),

    # Paths that lead through a file, or to a directory.
    through('below-own-image', '/vm/vda.qcow2/x'),
    through('below-other-image', '/vm/vdb.qcow2/x'),
    through('deep-below-image', '/vm/vdb.qcow2/x/y'),
    through('through-image', '/vm/vdb.qcow2/../x'),
    through('through-image-by-dot', '/vm/vdb.qcow2/./../x'),
    through('below-image-spelt-otherwise', '/vm//./vdb.qcow2/x'),
    through('below-image-reused', '/vm/vdb.qcow2/x', reuse=True),
    through('beside-image', '/vm/vdb.qcow2x', None),
    through('below-agent', '/vm/own/x', **AGENT),
    through('below-log', '/vm/own/x', **LOG),
    through('below-nvram', '/vm/own/x', **NVRAM),
    through('directory-of-image', '/vm', DIRECTORY),
    through('directory-of-image-reused', '/vm', DIRECTORY, reuse=True),
    through('root', '/', 'schema/invalid-path'),
    Scenario('own-path-below-device', push(to('vda', '/vm/vdb.dev/x')), (qcow2('vda'), block('vdb')), BELOW),
    Scenario('own-path-below-device-as-device', push(to_device('vda', '/vm/vdb.dev/x')), (qcow2('vda'), block('vdb')), BELOW),
    Scenario('own-path-below-base', push(to('vda', '/vm/base/x')), (disk('vda', 'qcow2', prepare=(
        image('/vm/base'), image('/vm/vda.qcow2', options='-b /vm/base -F qcow2', size=''))),), BELOW),
    Scenario('own-path-below-image-scratch', pull(scratch('vda', '/vm/vda.qcow2/x')), ONE, BELOW),
    Scenario('own-path-below-earlier', push(to('vda', '/vm/x'), to('vdb', '/vm/x/y')), TWO, BELOW),
    Scenario('own-path-above-earlier', push(to('vda', '/vm/x/y'), to('vdb', '/vm/x')), TWO, DIRECTORY),
    Scenario('own-path-above-earlier-made', push(to('vda', '/vm/x/y'), to('vdb', '/vm/x')), TWO, DIRECTORY, prepare=('mkdir /vm/x',)),
    Scenario('own-path-below-earlier-made', push(to('vda', '/vm/x'), to('vdb', '/vm/x/y')), TWO, BELOW, prepare=('mkdir /vm/x',)),
    Scenario('own-path-through-earlier', push(to('vda', '/vm/x'), to('vdb', '/vm/x/../y')), TWO, BELOW),
    Scenario('own-path-below-generated', push("<disk name='vda'/>", to('vdb', '/vm/vda.qcow2.cp1/y')), TWO, BELOW, checkpoint=checkpoint('cp1', *covers('vda', 'vdb'))),
    Scenario('own-socket-above-scratch', pull(scratch('vda', '/vm/x/y'), server="<server transport='unix' socket='/vm/x'/>"), ONE, DIRECTORY, prepare=('mkdir /vm/x',)),
    Scenario('own-socket-above-scratch-missing', pull(scratch('vda', '/vm/x/y'), server="<server transport='unix' socket='/vm/x'/>"), ONE, DIRECTORY),
    Scenario('own-socket-below-scratch', pull(scratch('vda', '/vm/x'), server="<server transport='unix' socket='/vm/x/y'/>"), ONE, BELOW),
    Scenario('own-socket-below-image', pull(scratch('vda'), server="<server transport='unix' socket='/vm/vda.qcow2/y'/>"), ONE, BELOW),
    Scenario('own-socket-below-agent', pull(scratch('vda'), server="<server transport='unix' socket='/vm/own/y'/>"), ONE, BELOW, **AGENT),
    Scenario('own-socket-through-image', pull(scratch('vda'), server="<server transport='unix' socket='/vm/vda.qcow2/../y'/>"), ONE, BELOW),
    Scenario('own-socket-is-directory-of-image', pull(scratch('vda'), server="<server transport='unix' socket='/vm'/>"), ONE, DIRECTORY),
    Scenario('own-socket-is-folder', pull(scratch('vda'), server=SOCKET), ONE, DIRECTORY, **FOLDER),
    Scenario('own-socket-beside-scratch', pull(scratch('vda', '/vm/x/y'), server="<server transport='unix' socket='/vm/x/z'/>"), ONE, prepare=('mkdir /vm/x',)),

    # Ports.
    *(port('vnc', VNC_PORT, *each) for each in (
        ('127.0.0.1', '127.0.0.1', PORT), ('0.0.0.0', '127.0.0.1', PORT), ('127.0.0.1', '0.0.0.0', PORT), ('127.0.0.1', '127.0.0.2', None), ('0.0.0.0', '0.0.0.0', PORT),
        ('127.0.0.1', 'localhost', None), ('127.0.0.1', '::1', None), ('::1', '::1', PORT), ('::', '127.0.0.1', PORT), ('::', '::1', PORT), ('0.0.0.0', '::1', None), ('0.0.0.0', '::', None),
        ('127.0.0.1', '::', None), ('::', '0.0.0.0', PORT), ('localhost', 'localhost', PORT), ('localhost', '127.0.0.1', PORT))),
    Scenario('own-port-vnc-localhost-for-ipv6', tcp('::1'), ONE, devices=VNC_PORT.format('localhost'), host=True),
    *(port('websocket', WEBSOCKET, *each) for each in (('127.0.0.1', '127.0.0.1', PORT), ('0.0.0.0', '127.0.0.1', PORT), ('127.0.0.1', '127.0.0.2', None))),
    *(port('serial', SERIAL_PORT, *each) for each in (('127.0.0.1', '127.0.0.1', PORT), ('0.0.0.0', '127.0.0.1', PORT), ('127.0.0.1', '127.0.0.2', None), ('::1', '::1', PORT), ('127.0.0.1', '::1', None),
                                                       ('::', '127.0.0.1', PORT), ('::', '::1', PORT), ('localhost', 'localhost', PORT), ('127.0.0.1', 'localhost', None))),
    port('telnet', TELNET_PORT, '127.0.0.1', '127.0.0.1', PORT),
    port('udp', UDP, '', '127.0.0.1', None),
    Scenario('own-port-vnc-auto', tcp('127.0.0.1', '5900'), ONE, PORT, devices=AUTO),
    Scenario('own-port-vnc-auto-other', tcp('127.0.0.1', '5901'), ONE, devices=AUTO),
    Scenario('own-port-vnc-other', tcp('127.0.0.1', '5997'), ONE, devices=VNC_PORT.format('127.0.0.1')),
    Scenario('own-port-vnc-unset', pull(scratch('vda'), server="<server name='127.0.0.1'/>"), ONE, devices=VNC_PORT.format('127.0.0.1')),
    Scenario('own-port-taken-by-allocation', pull(scratch('vda'), server="<server name='127.0.0.1'/>"), ONE, devices=SERIAL_PORT.format('127.0.0.1').replace('5999', '10809')),
]
