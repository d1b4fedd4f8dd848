"""What is inside the tarball's program, as SPDX 2.3: each library with its Debian version and licence.

usage: sbom.py VERSION DAY PROGRAM
"""

import hashlib
import json
import pathlib
import subprocess
import sys

# linked into the program: Debian package, licence
LIBRARIES = [
    ("libboost-url1.81-dev", "Boost (Asio, Beast, URL)", "BSL-1.0"),
    ("libssl-dev", "OpenSSL", "Apache-2.0"),
    ("libyaml-cpp-dev", "yaml-cpp", "MIT"),
    ("nlohmann-json3-dev", "nlohmann_json", "MIT"),
    ("libspdlog-dev", "spdlog", "MIT"),
    ("libfmt-dev", "fmt", "MIT"),
    ("libcli11-dev", "CLI11", "BSD-3-Clause"),
    ("libsqlite3-dev", "SQLite", "blessing"),
    ("zlib1g-dev", "zlib", "Zlib"),
    ("libcjose-dev", "cjose", "MIT"),
    ("libjansson-dev", "Jansson", "MIT"),
    ("libqrencode-dev", "libqrencode", "LGPL-2.1-or-later"),
    ("libstdc++-12-dev", "libstdc++ and libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1"),
]


def version_of(package):
    asked = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "NOASSERTION"


def package_of(name, version, licence, identifier):
    return {
        "name": name, "SPDXID": f"SPDXRef-{identifier}", "versionInfo": version, "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False, "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION",
    }


def main():
    version, day, program = sys.argv[1:]
    digest = hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()
    own = package_of("mcp-reauth", version, "Apache-2.0", "mcp-reauth")
    own["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
    parts = []
    for package, name, licence in LIBRARIES:
        part = package_of(name, version_of(package), licence, package.replace("+", "p"))
        part["externalRefs"] = [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{package}@{part['versionInfo']}",
        }]
        parts.append(part)
    print(json.dumps({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"mcp-reauth-{version}",
        "documentNamespace": f"https://mcp-reauth.org/spdx/mcp-reauth-{version}-{digest[:16]}",
        "creationInfo": {"created": f"{day}T00:00:00Z", "creators": ["Organization: mcp-reauth"]},
        "packages": [own, *parts],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": own["SPDXID"]},
            *({"spdxElementId": own["SPDXID"], "relationshipType": "STATIC_LINK", "relatedSpdxElement": part["SPDXID"]} for part in parts),
        ],
    }, indent=2))


main()
