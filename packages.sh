# Sourced by ./up and ./test: Debian's packages, installed without letting their services start.

# gcc links the binary and compiles the SQLite that is built into it.
RUN_PACKAGES="haproxy apache2-bin libapache2-mod-php8.2 php8.2-mysql mariadb-server-core mariadb-client \
  mariadb-backup tzdata gcc libc6-dev"
# nftables and iproute2 cut the network between databases, in a namespace that the test makes.
TEST_PACKAGES="$RUN_PACKAGES chromium chromium-driver php8.2-cli fonts-liberation nftables iproute2"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() {
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || printf '%s ' "$package"
  done
}

install_packages() {
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  echo "Installing: $missing"
  # A package that is new here must not start a service on a port of its own: Cordée starts the programs itself.
  policy=/usr/sbin/policy-rc.d
  made_policy=no
  if [ ! -e $policy ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  status=0
  { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends $missing >/dev/null; } || status=$?
  [ $made_policy = no ] || as_root rm -f $policy
  [ $status = 0 ] || { echo "apt-get could not install: $missing" >&2; exit 1; }
  # A unit that came with this very install must not start at the next boot either; an older one is left as it was.
  if [ -d /run/systemd/system ]; then
    case " $missing " in *" haproxy "*) as_root systemctl disable --quiet haproxy.service || true ;; esac
  fi
}

# mariadb-server-core brings no user of its own, and MariaDB refuses to run as root.
make_users() {
  [ "$(id -u)" = 0 ] || return 0
  if ! id mysql >/dev/null 2>&1; then
    groupadd --system mysql
    useradd --system --gid mysql --home-dir /nonexistent --no-create-home --shell /bin/false \
      --comment "MySQL Server" mysql
  fi
}
