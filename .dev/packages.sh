# The Debian packages each verb of ./dev needs; installs those that are missing. Sourced by ./dev.
# a|b|c: the first of them that is installed, else that this release has. REAUTH_BOOST=1.88 asks for that one.

boost=${REAUTH_BOOST:+libboost$REAUTH_BOOST-dev}
boost_url=${REAUTH_BOOST:+libboost-url$REAUTH_BOOST-dev}
packages_build=(
  g++ cmake ninja-build ccache mold pkg-config "${boost:-libboost1.81-dev|libboost1.83-dev|libboost1.88-dev|libboost-dev}"
  "${boost_url:-libboost-url1.81-dev|libboost-url1.83-dev|libboost-url1.88-dev|libboost-url-dev}" libssl-dev libyaml-cpp-dev
  nlohmann-json3-dev catch2 libspdlog-dev libfmt-dev libcli11-dev libsqlite3-dev libpq-dev
  libbenchmark-dev librapidcheck-dev libcjose-dev zlib1g-dev libqrencode-dev ca-certificates
)
packages_lint=(git python3 python3-yaml clang-format-19 clang-tidy-19)
packages_clang=(clang-19 libclang-rt-19-dev)
packages_fleet=(postgresql postgresql-client haproxy python3)
packages_e2e=(nodejs npm chromium python3 ca-certificates zsh fish mandoc prometheus)
packages_bench=(nginx-light haproxy wrk valgrind strace python3 openssl)
packages_elsewhere=(debootstrap git)
packages_pictures=(imagemagick)
packages_npm=(nodejs npm)
packages_package=(dpkg-dev fakeroot lintian debootstrap python3 git libjansson-dev)
packages_coverage=(gcovr python3)

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "root or sudo is needed to install Debian packages: run as root, or install them first: $*"
  fi
}

# A program that is already here from elsewhere (a newer node, say) stands in for its package.
have_package() {
  case $1 in
    nodejs) command -v node >/dev/null && return 0 ;;
    npm | python3 | git | chromium) command -v "$1" >/dev/null && return 0 ;;
  esac
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints what of "a|b|c" to install; nothing where one of them is here.
missing_of() {
  local package
  for package in ${1//|/ }; do
    have_package "$package" && return 0
  done
  for package in ${1//|/ }; do
    LC_ALL=C apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [0-9]' && { echo "$package"; return 0; }
  done
  echo "${1%%|*}"
}

# need GROUP… installs the groups' missing packages.
need() {
  local group package missing=() wanted=()
  for group in "$@"; do
    local -n list="packages_$group"
    for package in "${list[@]}"; do
      [ -z "$(missing_of "$package")" ] || wanted+=("$package")
    done
  done
  [ ${#wanted[@]} = 0 ] && return 0
  command -v apt-get >/dev/null || die "these packages (their names on Debian) are missing: ${wanted[*]}"
  say "installing: ${wanted[*]}"
  mkdir -p "$logs"
  as_root apt-get update -q >"$logs/install.log" 2>&1 </dev/null || { tail -n 20 "$logs/install.log"; die "apt-get update failed"; }
  # only now apt knows what this release has
  for package in "${wanted[@]}"; do missing+=("$(missing_of "$package")"); done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" \
    >>"$logs/install.log" 2>&1 </dev/null || { tail -n 20 "$logs/install.log"; die "apt-get failed; all of it is in $logs/install.log"; }
}
