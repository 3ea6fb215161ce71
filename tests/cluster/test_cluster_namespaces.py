"""Two nodes in network namespaces of their own, from which the head's folder cannot be seen; TLS between them."""

import secrets
import subprocess
from contextlib import ExitStack

import pytest
from mini_cluster import all_gone, certificates, ended, in_the_middle, tls_options, wait_for, what_was_learned

HEAD = "10.213.77.1"
TIMEOUT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}
TLS = """kind = "scheduler"
scheduler_file = "../scheduler.json"
silence_seconds = 4
[tls]
ca = "{folder}/ca.pem"
cert = "{folder}/cert.pem"
key = "{folder}/key.pem"
"""


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


class Network:
    """A bridge with this machine's end and two namespaces; `links` are the cables, by namespace."""

    def __init__(self, stack):
        number = secrets.token_hex(2)
        self.bridge, self.links = f"sbb{number}", {}
        ip("link", "add", self.bridge, "type", "bridge")
        stack.callback(ip, "link", "delete", self.bridge)
        ip("addr", "add", f"{HEAD}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for place in (2, 3):
            self._add(stack, f"sbn{number}-{place}", f"sbv{number}-{place}", f"10.213.77.{place}/24")

    def _add(self, stack, name, link, address):
        ip("netns", "add", name)
        stack.callback(ip, "netns", "delete", name)
        ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", link, "master", self.bridge, "up")
        for command in (
            ("addr", "add", address, "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", name, *command)
        stack.callback(ip, "link", "delete", link)
        self.links[name] = link


@pytest.fixture
def network():
    probe = f"sbp{secrets.token_hex(2)}"
    with ExitStack() as stack:
        try:
            ip("link", "add", probe, "type", "bridge")
            stack.callback(ip, "link", "delete", probe)
            ip("netns", "add", probe)
            stack.callback(ip, "netns", "delete", probe)
        except OSError as error:
            pytest.skip(f"network namespaces are not allowed here: {error}")
        yield Network(stack)


@pytest.fixture
def nodes(network, mini):
    """Namespace → node."""
    files = certificates(mini.folder / "ours")
    mini.toml(TLS.format(folder=files))
    mini.scheduler("--protocol", "tls", *tls_options(files), host=HEAD, **TIMEOUT)

    def start(name):
        hide = f'mount -t tmpfs none {mini.head} && exec "$@"'
        prefix = ["ip", "netns", "exec", name, "unshare", "--mount", "sh", "-c", hide, "sh"]
        return mini.node(name, *tls_options(files), prefix=prefix, **TIMEOUT)

    return start


def test_nodes_in_two_namespaces_learn_what_one_machine_learns(network, nodes, mini):
    for name in network.links:
        nodes(name)
    suite = mini.slow_suite(seeds=(0, 1, 2, 3))
    code, out, err = ended(mini.run(suite, "--out", "run", "--on", "cluster.toml", "--accuracy-only"))
    assert code == 0, err
    assert out.count("data idx:data are sent") == 2
    code, _, err = ended(mini.run(suite, "--out", "here"))
    assert code == 0, err
    assert what_was_learned(mini.records()) == what_was_learned(mini.records("here"))


@pytest.mark.weekly
def test_a_dropped_link_costs_one_attempt_and_the_node_behind_it_stops(network, nodes, mini):
    one, two = network.links
    node = nodes(one)
    run = mini.run(mini.slow_suite(limit=4.0), "--out", "run", "--on", "cluster.toml")
    backends = in_the_middle(node)
    nodes(two)
    ip("link", "set", network.links[one], "down")
    wait_for(lambda: all_gone(backends), 60)
    code, out, err = ended(run)
    assert code == 0, err
    assert "it is tried again" in out
    records = mini.records()
    assert records.complete
    assert [(lost.seed, lost.attempt) for lost in records.lost] == [(0, 1)]
