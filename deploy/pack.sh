#!/usr/bin/env bash
# Packs a release: the committed tree with its production dependencies (docs/adr/0003). Symlinks are kept.
#
#   deploy/pack.sh OUT.tar.gz      pack
#   deploy/pack.sh --try           pack, unpack into an empty folder, and boot a rack of one machine with it
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git -C "$root" archive --prefix=firstlight/ HEAD | tar -x -C "$work"
(cd "$work/firstlight" && npx -y pnpm@12.21.0 install --prod --frozen-lockfile --prefer-offline --silent)

if [ "${1:-}" = --try ]; then
  tar -C "$work" -czf "$work/firstlight.tar.gz" firstlight
  mkdir "$work/unpacked"
  tar -C "$work/unpacked" -xzf "$work/firstlight.tar.gz"
  cd "$work/unpacked/firstlight"
  firstlight() { node_modules/.bin/node packages/site/src/main.ts "$@"; }
  firstlight config check --config examples/site.yaml
  SECONDS=0
  firstlight up --rack --machines 1 --exit-when-ready --timeout 60 --state "$work/state"
  echo "release of $(du -h "$work/firstlight.tar.gz" | cut -f1), $(du -sh . | cut -f1) unpacked: started and stopped in $SECONDS s"
else
  tar -C "$work" -czf "${1:?usage: deploy/pack.sh OUT.tar.gz | --try}" firstlight
fi
