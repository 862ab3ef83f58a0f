#!/usr/bin/env bash
# Puts what the browser tests need into a folder, without root: npm packages by the hashes of
# package-lock.json, and Chromium out of Debian's packages where PATH has none.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

cp "$here/package.json" "$here/package-lock.json" "$folder"
npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error

if command -v chromium chromium-browser google-chrome >/dev/null; then
    exit
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "there is no Chromium on PATH, and no apt-get to fetch one: install it" >&2
    exit 1
fi
# apt with its own lists and cache; what it would install is unpacked instead.
mkdir -p "$folder"/apt/{lists,archives}/partial "$folder"/debs "$folder"/root
apt=(apt-get -qq -o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt" -o Debug::NoLocking=1
    -o APT::Sandbox::User=)
"${apt[@]}" update
needed=$("${apt[@]}" -s install --no-install-recommends chromium fonts-liberation | awk '/^Inst/ {print $2}')
# shellcheck disable=SC2086
(cd "$folder/debs" && "${apt[@]}" download $needed)
for package in "$folder"/debs/*.deb; do
    dpkg-deb -x "$package" "$folder/root"
done
rm -rf "$folder/apt" "$folder/debs"
