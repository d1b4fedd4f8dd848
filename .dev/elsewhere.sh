# The project in another release of Debian: a system of its own under build/elsewhere/RELEASE. Sourced by ./dev.

# Where Debian's packages come from: $REAUTH_MIRROR, else where this machine's do.
debian_mirror() {
  [ -z "${REAUTH_MIRROR:-}" ] || { echo "$REAUTH_MIRROR"; return; }
  local release
  release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | awk -v release="$release" '$1 == release && !found { print $2; found = 1 }'
}

# make_system RELEASE FOLDER: a minimal Debian, with the security updates of that release where the mirror has them.
make_system() {
  local release=$1 root=$2
  [ -e "$root/.made" ] && return 0
  mkdir -p "$root" "$logs"
  say "making a system of $release in $root …"
  as_root debootstrap --variant=minbase "$release" "$root" "$(debian_mirror)" >"$logs/debootstrap-$release.log" 2>&1 ||
    { tail -n 20 "$logs/debootstrap-$release.log"; die "debootstrap failed"; }
  as_root touch "$root/.made"
}

# copy_sources FOLDER: what is in the work tree, committed or not; files that are gone here go there too.
copy_sources() {
  local to=$1
  as_root mkdir -p "$to"
  as_root find "$to" -mindepth 1 -maxdepth 1 ! -name build ! -name .git -exec rm -rf {} +
  git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
  done | tar --null -T - -cf - | as_root tar -xf - -C "$to" --no-same-owner
}

# run_elsewhere RELEASE [VERB…]
run_elsewhere() {
  local release=${1:-}
  [ -n "$release" ] || die "which release? ./dev elsewhere trixie [VERB]"
  shift
  local root=build/elsewhere/$release
  make_system "$release" "$root"
  copy_sources "$root/src"
  [ $# -gt 0 ] || set -- elsewhere-all
  local verb=$*
  [ "$1" != elsewhere-all ] || verb="unit && ./dev property && ./dev integration && ./dev demo"
  as_root .dev/inside "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI="${CI:-}" REAUTH_BOOST="${REAUTH_BOOST:-}" \
    REAUTH_JOBS="$jobs" bash -c "cd /src && ./dev $verb"
}
