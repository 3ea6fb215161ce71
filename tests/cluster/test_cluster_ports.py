"""Who may connect: certificates, open ports, and what `--on` may name."""

import pytest
from mini_cluster import certificates, ended, tls_options

from bench.cluster.connect import check_ports
from bench.cluster.spec import Jobs, Local, Scheduler, cluster_of
from bench.core.errors import UnusableError

TLS = """kind = "scheduler"
scheduler_file = "../scheduler.json"
wait_seconds = {seconds}
[tls]
ca = "{folder}/ca.pem"
cert = "{folder}/cert.pem"
key = "{folder}/key.pem"
"""


def test_tls_with_the_right_certificate_and_with_a_wrong_one(mini, tmp_path):
    ours, others = certificates(tmp_path / "ours"), certificates(tmp_path / "others")
    mini.scheduler("--protocol", "tls", *tls_options(ours))
    mini.node("one", *tls_options(ours))
    suite = mini.suite()
    wrong = mini.toml(TLS.format(folder=others, seconds=5), "wrong.toml")
    code, _, err = ended(mini.run(suite, "--out", "run", "--on", wrong))
    assert (code, err.count("\n")) == (2, 1), err
    assert "no connection" in err
    assert not (mini.head / "run").exists(), "a run that never began leaves no folder"
    code, _, err = ended(mini.run(suite, "--out", "none", "--on", mini.file))
    assert code == 2
    assert "no certificates; remedy: ca, cert and key below [tls] in cluster.toml" in err
    right = mini.toml(TLS.format(folder=ours, seconds=60), "right.toml")
    code, _, err = ended(mini.run(suite, "--out", "run", "--on", right))
    assert code == 0, err
    assert mini.records().complete


@pytest.mark.parametrize(
    "address", ["tcp://192.0.2.1:8786", "192.0.2.1:8786", "ws://host:80", "tcp://[2001:db8::1]:8786"]
)
def test_a_port_without_tls_beyond_the_loopback_address_is_refused_unless_asked_for(address):
    with pytest.raises(UnusableError, match=r"a port without TLS.*remedy: TLS, or open_port = true"):
        check_ports([address], open_port=False)
    check_ports([address], open_port=True)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "localhost:8786", "tcp://[::1]:8786", "tls://192.0.2.1:8786"]
)
def test_loopback_and_tls_are_allowed(address):
    check_ports([address], open_port=False)


def test_what_on_may_name(tmp_path):
    assert isinstance(cluster_of("local"), Local)
    assert cluster_of("tls://host:8786") == Scheduler(address="tls://host:8786")
    (tmp_path / "scheduler.json").write_text('{"address": "tcp://127.0.0.1:1"}')
    assert cluster_of(str(tmp_path / "scheduler.json")) == Scheduler(address="tcp://127.0.0.1:1")
    (tmp_path / "c.toml").write_text('kind = "slurm"\nnodes = 3\n[options]\nqueue = "q"\n')
    assert cluster_of(str(tmp_path / "c.toml")) == Jobs(kind="slurm", nodes=3, options={"queue": "q"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('kind = "slurm"', "slurm.nodes: is missing"),
        ('kind = "cloud"', "'kind' is 'cloud'; allowed: 'local'"),
        ('kind = "local"\nnodes = 3', "local.nodes: is not a known key"),
        ('kind = "local"\nattempts = 0', "local.attempts: must be greater than or equal to 1, not 0"),
        ('kind = "scheduler"\nscheduler_file = "no.json"', "no.json: cannot be read"),
        ("kind =", "not valid TOML"),
    ],
)
def test_a_cluster_toml_that_cannot_be_used_is_one_line(tmp_path, content, message):
    (tmp_path / "c.toml").write_text(content)
    with pytest.raises(UnusableError) as refused:
        cluster_of(str(tmp_path / "c.toml"))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["nonsense", "", "host:port"])
def test_another_name_is_refused(name):
    with pytest.raises(UnusableError, match="allowed: local, an address such as"):
        cluster_of(name)
