"""What `deploy/` ships: that the image holds all the app needs, and that its files fit each other."""

from __future__ import annotations

import fnmatch
import ipaddress
import re
import shlex
import sysconfig
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from api import health, local
from api.errors import ApiError
from core.settings import Settings, load_settings
from tests.support.architecture import ROOT, our_files
from tests.support.balancer import SHIPPED, balancer, check, configuration, nginx
from tests.support.live_server import free_port

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
PYTHON = "3.11"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))
REPLICAS = {name: one for name, one in COMPOSE["services"].items() if one.get("image") == "switchboard"}


def copied() -> list[str]:
    """What the Dockerfile takes from the repository."""
    lines = re.sub(r"\\\n", " ", DOCKERFILE).splitlines()
    copies = [shlex.split(line)[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    return [name for names in copies for name in names]


def test_the_image_holds_every_file_that_the_app_reads():
    read = [path for name in ("core", "ui", "api") for path in (ROOT / name).rglob("*") if path.is_file()]
    needed = [*our_files(), *(path.relative_to(ROOT) for path in read if "__pycache__" not in path.parts)]
    needed += [Path("data/models.yaml"), Path(".streamlit/config.toml"), Path("requirements.txt")]

    missing = [path for path in needed if not any(path.is_relative_to(name) for name in copied())]

    assert missing == []
    assert [name for name in copied() if not (ROOT / name).exists()] == []


def test_what_is_copied_reaches_the_builder_and_nothing_else():
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split("\n")
    let_in = [line[1:] for line in lines if line.startswith("!")]

    assert "*" in lines
    assert sorted(let_in) == sorted(copied())
    assert not any(fnmatch.fnmatch("data/switchboard.duckdb", pattern) for pattern in let_in)


def test_what_is_taken_out_of_the_packages_is_in_them():
    """A version of them that has it no longer would fail the build."""
    packages = Path(sysconfig.get_path("purelib"))
    [removed] = re.findall(r"&& rm -r (.*) \\$", DOCKERFILE, re.MULTILINE)

    assert len(removed.split()) > 2
    assert [name for name in removed.split() if not list(packages.glob(name))] == []
    assert f"/python{PYTHON}/site-packages" in DOCKERFILE
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {f"python:{PYTHON}-slim"}


def test_packages_are_a_layer_of_their_own():
    """So that a new version of ours is a small one."""
    taken = re.findall(r"^COPY --from=build (\S+)", DOCKERFILE, re.MULTILINE)

    assert taken == ["/app/.venv", "/code"]


def test_image_and_balancer_agree_with_the_app_on_port_health_and_settings():
    environment = dict(re.findall(r"(SWITCHBOARD_\w+)=(\S+)", DOCKERFILE))
    port = environment["SWITCHBOARD_PORT"]

    assert load_settings(environment).port == int(port)
    assert re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE) == [port]
    assert set(re.findall(r"server \S+:(\d+) ", SHIPPED.read_text(encoding="utf-8"))) == {port}
    assert '"/api/health"' in (ROOT / "api" / "routes.py").read_text(encoding="utf-8")
    assert local.PATH.startswith("/api/local/")
    # It has to have said that it cannot serve before it is taken for dead.
    [patience] = re.findall(r"timeout=(\d+)\)", DOCKERFILE)
    assert float(patience) > health._WITHIN_S
    assert re.findall(r"^VOLUME (.*)$", DOCKERFILE, re.MULTILINE) == [f'["{environment["SWITCHBOARD_DATA_DIR"]}"]']


def test_the_container_runs_without_root_and_hears_a_stop():
    users = re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)
    assert users == ["10001:10001"]
    assert re.findall(r"^STOPSIGNAL (.*)$", DOCKERFILE, re.MULTILINE) == ["SIGTERM"]
    assert "/api/health" in DOCKERFILE
    # Longer than a drain and what follows it, or the container is killed in the middle.
    for replica in REPLICAS.values():
        assert float(replica["stop_grace_period"].removesuffix("s")) > Settings().drain_s + 5


def test_every_replica_has_the_same_settings_and_they_are_ours():
    environments = [one["environment"] for one in REPLICAS.values()]
    assert len(environments) == 2
    assert environments[0] == environments[1]
    filled = {name: re.sub(r"\$\{(\w+)[^}]*\}", "5e" * 32, value) for name, value in environments[0].items()}

    settings = load_settings(filled)

    assert settings.shares_store
    assert (settings.redis is None, settings.session_secret is None, str(settings.files)) == (False, False, "/files")
    names = re.findall(r"^(SWITCHBOARD_\w+)=", (DEPLOY / "example.env").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name.removeprefix("SWITCHBOARD_").lower() for name in names} <= Settings.model_fields.keys()


def test_every_container_keeps_its_address():
    """nginx asks for a replica's once; one without an address of its own might be given another's."""
    [network] = COMPOSE["networks"]["default"]["ipam"]["config"]
    subnet = ipaddress.ip_network(_default(network["subnet"]))
    services = COMPOSE["services"].values()
    addresses = [ipaddress.ip_address(_default(one["networks"]["default"]["ipv4_address"])) for one in services]

    assert len(set(addresses)) == len(COMPOSE["services"])
    # The first is the host's.
    assert all(address in subnet and address != subnet[1] for address in addresses)
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    replicas = [_default(one["networks"]["default"]["ipv4_address"]) for one in REPLICAS.values()]
    assert all(f"`{address}:8501`" in told for address in replicas)


def _default(value: str) -> str:
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def test_the_balancer_leads_to_the_replicas_of_the_compose_file():
    servers = re.findall(r"^\s+server (\S+):8501 ", SHIPPED.read_text(encoding="utf-8"), re.MULTILINE)
    assert servers == list(REPLICAS)


def test_nginx_takes_the_configuration(tmp_path):
    program = nginx()
    if program is None:
        pytest.skip("there is no nginx on this machine")
    config = tmp_path / "nginx.conf"
    config.write_text(configuration(tmp_path, port=1, replicas=["127.0.0.1:2", "127.0.0.1:3"]), encoding="utf-8")

    assert check(program, config).rstrip().endswith("test is successful")


@pytest.mark.slow
def test_a_script_is_told_in_json_that_no_replica_is_there(tmp_path):
    program = nginx()
    if program is None:
        pytest.skip("there is no nginx on this machine")
    nobody = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"]
    with balancer(program, tmp_path, nobody, healthy=False) as url:
        answer = httpx.post(f"{url}/v1/chat/completions", json={}, trust_env=False, timeout=10)

    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/json")
    assert answer.json()["error"].keys() == ApiError(status=502, message="").body()["error"].keys()
    assert answer.headers["retry-after"] == "5"


def _kubernetes(kind: str) -> dict[str, Any]:
    [one] = [part for part in KUBERNETES if part["kind"] == kind]
    found: dict[str, Any] = one["spec"]
    return found


def test_the_pods_of_kubernetes_have_our_settings_and_nobody_elses():
    pod = _kubernetes("Deployment")["template"]["spec"]
    [container] = pod["containers"]
    given = {one["name"]: one["value"] for one in container["env"]}
    in_secret = re.findall(
        r"--from-literal=SWITCHBOARD_(\w+)=", (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    )

    assert str(load_settings(given).files) == "/files"
    assert in_secret
    assert {name.lower() for name in in_secret} <= Settings.model_fields.keys()
    # Else the Service of this name sets SWITCHBOARD_PORT=tcp://..., and no pod starts.
    assert pod["enableServiceLinks"] is False


def test_the_pods_of_kubernetes_agree_with_the_image():
    deployment = _kubernetes("Deployment")
    pod = deployment["template"]["spec"]
    [container] = pod["containers"]
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("readiness", "liveness", "startup")}

    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in DOCKERFILE
    assert f"EXPOSE {container['ports'][0]['containerPort']}" in DOCKERFILE
    assert probes == {"readiness": "/api/health", "liveness": "/_stcore/health", "startup": "/_stcore/health"}
    assert pod["terminationGracePeriodSeconds"] > Settings().drain_s + 5
    assert {"/data", "/files"} <= {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_what_belongs_together_on_kubernetes_finds_each_other():
    labels = _kubernetes("Deployment")["template"]["metadata"]["labels"]
    paths = _kubernetes("Ingress")["rules"][0]["http"]["paths"]
    backends = {path["path"]: path["backend"]["service"]["name"] for path in paths}

    assert _kubernetes("Deployment")["selector"]["matchLabels"] == labels
    assert _kubernetes("PodDisruptionBudget")["selector"]["matchLabels"] == labels
    assert _kubernetes("Service")["selector"] == labels
    assert backends["/"] == "switchboard"
    assert "switchboard" not in {backends["/api/local"], backends["/metrics"]}
