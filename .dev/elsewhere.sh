# The project in another release of Debian: a system of its own under build/elsewhere/RELEASE. Sourced by ./dev.

elsewhere_mirror=${REAUTH_MIRROR:-}

# make_system RELEASE FOLDER: a minimal Debian, with the security updates of that release where the mirror has them.
make_system() {
  local release=$1 root=$2
  [ -e "$root/.made" ] && return 0
  mkdir -p "$root" "$logs"
  say "making a system of $release in $root …"
  as_root debootstrap --variant=minbase "$release" "$root" "$elsewhere_mirror" >"$logs/debootstrap-$release.log" 2>&1 ||
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
