"""The server of a pull backup."""

from .words import Scenario, pull, qcow2, scratch

ONE = (qcow2('vda'),)


def tcp(rest, name='localhost'):
    return pull(scratch('vda'), server=f"<server name='{name}'{rest}/>")


TABLE = [
    Scenario('tcp', tcp(" port='10809'"), ONE),
    Scenario('tcp-without-port', tcp(''), ONE),
    Scenario('tcp-port-zero', tcp(" port='0'"), ONE),
    Scenario('tcp-port-65535', tcp(" port='65535'"), ONE),
    Scenario('tcp-address', tcp(" port='10809'", '127.0.0.1'), ONE),
    Scenario('tcp-any-address', tcp(" port='10809'", '0.0.0.0'), ONE),
    Scenario('tcp-ipv6', tcp(" port='10809'", '::1'), ONE, host=True),
    Scenario('tcp-address-of-another-host', tcp(" port='10809'", '192.0.2.1'), ONE, host=True),
    Scenario('tcp-name-unknown', tcp(" port='10809'", 'no.such.host.invalid'), ONE, host=True),
    Scenario('tcp-port-in-use', tcp(" port='10809'", '127.0.0.1'), ONE, host=True, prepare=(
        'qemu-img create -q -f raw /vm/served.img 1M',
        'qemu-nbd --fork --persistent --format raw --bind 127.0.0.1 --port 10809 --pid-file /vm/pid /vm/served.img'), clean=('kill $(cat /vm/pid)',)),
    Scenario('tcp-tls', tcp(" port='10809' tls='yes'"), ONE, host=True),
    Scenario('unix-tls', pull(scratch('vda'), server="<server transport='unix' socket='/vm/nbd' tls='yes'/>"), ONE, host=True),
    Scenario('tcp-tls-no', tcp(" port='10809' tls='no'"), ONE),
    Scenario('fd-without-group', pull(scratch('vda'), server="<server transport='fd' fdgroup='nbd'/>"), ONE, host=True),
    Scenario('fd-empty-group', pull(scratch('vda'), server="<server transport='fd' fdgroup=''/>"), ONE, host=True),
]
