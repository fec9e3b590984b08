#!/bin/sh
# Installs what a job needs and is not there, as Debian packages, and says so. Usage: tools/setup.sh build|test|lint
set -eu
build="gcc libc6-dev make cmake ninja-build pkg-config zlib1g-dev libcurl4-openssl-dev libssl-dev libopenblas-dev python3 python3-pip"
case ${1:-build} in
    build) wanted=$build ;;
    test) wanted="$build python3-venv qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross libsimde-dev libpcre2-dev binutils" ;;
    lint) wanted="$build clang clang-format clang-tidy libclang-rt-dev python3-venv git" ;;
    *) echo "usage: $0 build|test|lint" >&2; exit 2 ;;
esac
if ! command -v dpkg-query >/dev/null; then
    echo "setup: not a Debian system; needed are the equivalents of: $wanted"
    exit 0
fi
missing=
for package in $wanted; do
    # A tool that is there from elsewhere serves as well.
    case $package in
        python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
        python3-venv) python3 -c 'import ensurepip' 2>/dev/null && continue ;;
        gcc|make|cmake|pkg-config|python3|git) command -v "$package" >/dev/null && continue ;;
        ninja-build) command -v ninja >/dev/null && continue ;;
    esac
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
root=
[ "$(id -u)" -eq 0 ] || root=sudo
if [ -n "$root" ] && ! command -v sudo >/dev/null; then
    echo "setup: needs these Debian packages; run as root: apt-get install$missing" >&2
    exit 1
fi
echo "setup: installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
# shellcheck disable=SC2086
$root apt-get install -y -qq --no-install-recommends $missing >/dev/null
