#!/bin/sh
# Install the Debian packages that tests/system_packages.txt names, where that is possible; never fails.
set -u
list=$(dirname "$0")/system_packages.txt
say() { printf 'livelight tests: %s\n' "$*" >&2; }
command -v dpkg-query >/dev/null || { say "no Debian here; some tests will be skipped"; exit 0; }
missing=
for package in $(grep -v '^#' "$list"); do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ]; then
    say "installing$missing"
    apt-get update -qq
    # shellcheck disable=SC2086  # several packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 $missing \
        >/dev/null || say "not all could be installed; some tests will be skipped"
else
    say "some tests will be skipped; to run them: sudo apt-get install$missing"
fi
exit 0
