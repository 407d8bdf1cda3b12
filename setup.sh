#!/bin/sh
# Make a virtual environment with LiveLight in it: setup.sh VENV WHAT (a pip requirement, or . for this folder).
# Installs the system libraries that OpenCV needs when it may; says which are missing when it may not.
set -eu
venv=$1 what=$2
python=${PYTHON:-python3}
libraries="libgl1 libglib2.0-0"

say() { printf 'livelight setup: %s\n' "$*" >&2; }

install_packages() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing the system packages $*"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        say "this machine lacks system packages; as root run: apt-get install $*  and try again"
        exit 1
    fi
}

command -v "$python" >/dev/null || install_packages python3 python3-venv
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "expected Python 3.11 or newer, got $("$python" --version); set PYTHON=python3.11 (or newer) and try again"
    exit 1
}
"$python" -m venv "$venv" 2>/dev/null || { install_packages python3-venv && "$python" -m venv "$venv"; }
"$venv/bin/python" -m pip install --quiet --editable "$what"
probe='import cv2, livelight.tiles; from livelight.segmenters import open_segmenter; open_segmenter()'
"$venv/bin/python" -c "$probe" >/dev/null 2>&1 || {
    install_packages $libraries
    "$venv/bin/python" -c "$probe" >/dev/null
}
