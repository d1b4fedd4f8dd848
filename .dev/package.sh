# Packages: the .deb of this release of Debian, a tarball that runs on any Linux with a glibc like Debian 12's, and npm's two.
# Sourced by ./dev.

project_version() { sed -n 's/^project(mcp_reauth VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt; }
release_day() { sed -n 's/^set(REAUTH_RELEASED \([0-9-]*\)).*/\1/p' CMakeLists.txt; }
machine_name() { case $(uname -m) in x86_64) echo x64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac; }

# Debian has libqrencode as a shared library alone: the archive is made of Debian's source.
static_parts() {
  local parts=$PWD/build/static-parts work=build/static-parts/work
  [ -e "$parts/lib/libqrencode.a" ] && return 0
  mkdir -p "$work/lists/partial" "$parts/lib" "$parts/include"
  sed -n 's/^VERSION_CODENAME=//p' /etc/os-release >"$work/codename"
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) $(cat "$work/codename") main" >"$work/sources.list"
  local apt=(-o "Dir::Etc::sourcelist=$PWD/$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$PWD/$work/lists"
    -o APT::Sandbox::User=root)
  (
    cd "$work"
    as_root apt-get "${apt[@]}" update -q
    as_root apt-get "${apt[@]}" source --download-only --tar-only -q qrencode
    tar -xf qrencode_*.orig.tar.* --strip-components=1 --one-top-level=qrencode
    cd qrencode
    local version
    version=$(sed -n 's/^AC_INIT(QRencode, \([0-9.]*\)).*/\1/p' configure.ac | head -1)
    for file in qrencode qrinput bitstream qrspec rsecc split mask mqrspec mmask; do
      gcc -O2 -fPIC -DSTATIC_IN_RELEASE=static -DHAVE_STRDUP=1 -DMAJOR_VERSION=4 -DMINOR_VERSION=1 -DMICRO_VERSION=1 \
        "-DVERSION=\"${version:-4.1.1}\"" "-ffile-prefix-map=$PWD/=" -c "$file.c" -o "$file.o"
    done
    ar rcsD "$parts/lib/libqrencode.a" ./*.o
    cp qrencode.h "$parts/include/"
  ) >"$logs/static-parts.log" 2>&1 || { tail -n 20 "$logs/static-parts.log"; die "libqrencode's archive could not be made"; }
}

# tar_of FOLDER FILE: the same bytes whoever packs it, and when.
tar_of() {
  tar --sort=name --mtime="$(release_day) 00:00:00Z" --owner=0 --group=0 --numeric-owner --format=ustar \
    -C "$(dirname "$1")" -cf - "$(basename "$1")" | gzip -9n >"$2"
}

# The least glibc that the program runs with.
glibc_of() { objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1 | sed 's/GLIBC_//'; }

make_deb() {
  build_all release
  rm -f build/release/packages/*.deb
  (cd build/release && SOURCE_DATE_EPOCH=$(date -u -d "$(release_day)" +%s) cpack -G DEB) >"$logs/cpack.log" 2>&1 || { tail -n 20 "$logs/cpack.log"; return 1; }
  cp build/release/packages/*.deb "$out/"
  lintian --fail-on error,warning build/release/packages/*.deb
}

make_tarball() {
  static_parts
  build_target static mcp-reauth described
  local name folder
  name=mcp-reauth-$(project_version)-linux-$(machine_name)
  folder=build/static/$name
  rm -rf "$folder"
  cmake --install build/static --prefix "$folder" --strip --component Unspecified >"$logs/install-static.log"
  rm -rf "$folder/lib"
  cp build/static/described/mcp-reauth.service "$folder/share/mcp-reauth/"
  cp LICENSE "$folder/"
  cp conf/package/TARBALL.md "$folder/README.md"
  local needs
  needs=$(objdump -p "$folder/bin/mcp-reauth" | sed -n 's/ *NEEDED *//p' | grep -v -E '^(libc|libm|libdl|libpthread|librt|ld-linux.*)\.so' || true)
  [ -z "$needs" ] || { echo "the program needs more than libc: $needs"; return 1; }
  python3 -B .dev/sbom.py "$(project_version)" "$(release_day)" "$folder/bin/mcp-reauth" >"$folder/share/mcp-reauth/sbom.spdx.json"
  tar_of "$folder" "$out/$name.tar.gz"
  cp "$folder/share/mcp-reauth/sbom.spdx.json" "$out/$name.spdx.json"
  local bytes
  bytes=$(stat -c %s "$out/$name.tar.gz")
  [ "$bytes" -le $((8 << 20)) ] || { echo "$name.tar.gz is $bytes bytes: more than 8 MiB"; return 1; }
  echo "$name.tar.gz: $bytes bytes, needs glibc $(glibc_of "$folder/bin/mcp-reauth")"
}

# make_npm PROGRAM: mcp-reauth, which starts it, and the package that brings it for this machine.
make_npm() {
  local program=$1 version folder machine
  version=$(project_version)
  machine=$(machine_name)
  [ -x "$program" ] || die "make the tarball first: npm's package brings the same program"
  [ -d "conf/package/npm/linux-$machine" ] || die "npm has no package for linux-$machine yet"
  rm -rf build/npm
  for package in mcp-reauth "linux-$machine"; do
    folder=build/npm/$package
    mkdir -p "$folder"
    cp -r "conf/package/npm/$package/." "$folder/"
    sed -i "s/@VERSION@/$version/g" "$folder/package.json"
    cp LICENSE "$folder/"
  done
  mkdir -p "build/npm/linux-$machine/bin"
  cp "$program" "build/npm/linux-$machine/bin/mcp-reauth"
  strip "build/npm/linux-$machine/bin/mcp-reauth"
  chmod 755 "build/npm/linux-$machine/bin/mcp-reauth" build/npm/mcp-reauth/bin/mcp-reauth
  (cd "$out" && npm pack --silent "$OLDPWD/build/npm/mcp-reauth" "$OLDPWD/build/npm/linux-$machine") >"$logs/npm-pack.log" 2>&1 ||
    { tail -n 20 "$logs/npm-pack.log"; return 1; }
}

# run_package [deb|tarball|npm …]: into build/packages, with their checksums.
run_package() {
  out=${REAUTH_PACKAGES:-$PWD/build/packages}
  mkdir -p "$out" "$logs"
  [ $# -gt 0 ] || set -- deb tarball npm
  local kind
  for kind in "$@"; do
    case $kind in
      deb) make_deb ;;
      tarball) make_tarball ;;
      npm) need npm; make_npm "${REAUTH_PROGRAM:-build/static/mcp-reauth-$(project_version)-linux-$(machine_name)/bin/mcp-reauth}" ;;
      *) die "there is no package $kind: deb, tarball, npm" ;;
    esac
  done
  (cd "$out" && sha256sum -- *.deb *.tgz *.tar.gz *.json 2>/dev/null >SHA256SUMS || true)
  ls -l "$out"
}

# Two builds in two places, one digest.
run_reproducible() {
  out=$PWD/build/packages
  mkdir -p "$out" "$logs"
  make_tarball
  local name first second other
  name=mcp-reauth-$(project_version)-linux-$(machine_name).tar.gz
  first=$(sha256sum <"$out/$name")
  other=$(mktemp -d)
  copy_sources "$other/elsewhere"
  (cd "$other/elsewhere" && mkdir -p build && cp -r "$OLDPWD/build/static-parts" build/ && CCACHE_DISABLE=1 ./dev package tarball >"$other/log" 2>&1) ||
    { tail -n 20 "$other/log"; die "the second build failed"; }
  second=$(sha256sum <"$other/elsewhere/build/packages/$name")
  rm -rf "$other"
  echo "$first"; echo "$second"
  [ "$first" = "$second" ]
}
