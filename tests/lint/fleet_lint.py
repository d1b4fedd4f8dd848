"""Checks the examples of conf/fleet without a container engine: the files parse, what they refer to exists, and the replica's
configuration is the same wherever it is written down.

usage: fleet_lint.py [DIRECTORY]        conf/fleet of this tree
"""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSIONS = {
    "ConfigMap": "v1", "Secret": "v1", "Service": "v1", "Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1",
}


def secret_files(config):
    """Names under /run/secrets that a replica's configuration reads."""
    return set(re.findall(r"/run/secrets/([\w.-]+)", config))


def compose_problems(compose, directory, config):
    services, secrets, volumes = compose["services"], set(compose.get("secrets", {})), set(compose.get("volumes", {}))
    for name, service in services.items():
        if not ("image" in service or "build" in service):
            yield f"compose: service {name} has neither image nor build"
        for needed in service.get("depends_on", []):
            if needed not in services:
                yield f"compose: {name} depends on {needed}, which is no service"
        for used in service.get("secrets", []):
            if used not in secrets:
                yield f"compose: {name} uses the secret {used}, which is not declared"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                # what an operator makes first (tls, secrets) is not in the tree
                if not source.startswith(("./tls", "./secrets")) and not (directory / source).exists():
                    yield f"compose: {name} mounts {source}, which is not there"
            elif source not in volumes:
                yield f"compose: {name} uses the volume {source}, which is not declared"
        build = service.get("build")
        if build and not (ROOT / "conf/fleet" / build["context"] / build["dockerfile"]).resolve().is_file():
            yield f"compose: {name} is built from {build['dockerfile']}, which is not there"
        if name.startswith("replica") and secret_files(config) - set(service["secrets"]):
            yield f"compose: {name} lacks the secrets {sorted(secret_files(config) - set(service['secrets']))}"
    proxied = set(re.findall(r"^\s+server \w+ ([\w-]+):", (directory / "haproxy.cfg").read_text(), re.MULTILINE))
    for name in proxied - set(services):
        yield f"haproxy.cfg: {name} is no service of compose.yaml"


def manifest_problems(documents, config):
    named = {(d["kind"], d["metadata"]["name"]): d for d in documents}
    for (kind, name), document in named.items():
        if VERSIONS.get(kind) != document["apiVersion"]:
            yield f"kubernetes: {kind} {name} has apiVersion {document['apiVersion']}, not {VERSIONS.get(kind)}"
    for (kind, name), document in named.items():
        if kind != "Deployment":
            continue
        spec = document["spec"]
        template = spec["template"]
        labels = template["metadata"]["labels"]
        if not spec["selector"]["matchLabels"].items() <= labels.items():
            yield f"kubernetes: the selector of {name} does not match its pods"
        volumes = {v["name"]: v for v in template["spec"]["volumes"]}
        ports = set()
        for container in template["spec"]["containers"]:
            ports |= {p["name"] for p in container["ports"]}
            for mount in container["volumeMounts"]:
                if mount["name"] not in volumes:
                    yield f"kubernetes: {name} mounts {mount['name']}, which is no volume"
            for probe in ("readinessProbe", "livenessProbe"):
                if container[probe]["httpGet"]["port"] not in ports:
                    yield f"kubernetes: the {probe} of {name} asks a port that is not named"
        for volume in volumes.values():
            wanted = volume.get("configMap", {}).get("name")
            if wanted and ("ConfigMap", wanted) not in named:
                yield f"kubernetes: {name} uses the ConfigMap {wanted}, which is not there"
        for (other, service), found in named.items():
            if other == "Service":
                if not found["spec"]["selector"].items() <= labels.items():
                    yield f"kubernetes: Service {service} selects no pod of {name}"
                for port in found["spec"]["ports"]:
                    if port["targetPort"] not in ports:
                        yield f"kubernetes: Service {service} leads to {port['targetPort']}, which {name} does not name"
    written = named[("ConfigMap", "mcp-reauth-config")]["data"]["mcp-reauth.yaml"]
    if yaml.safe_load(written) != yaml.safe_load(config):
        yield "kubernetes: the configuration in the ConfigMap differs from mcp-reauth.yaml"


def problems(directory):
    config = (directory / "mcp-reauth.yaml").read_text()
    yield from compose_problems(yaml.safe_load((directory / "compose.yaml").read_text()), directory, config)
    yield from manifest_problems(list(yaml.safe_load_all((directory / "kubernetes.yaml").read_text())), config)


def main():
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "conf/fleet"
    found = list(problems(directory))
    print("\n".join(found) or "conf/fleet: the examples fit together")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
