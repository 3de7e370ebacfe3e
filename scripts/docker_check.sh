#!/usr/bin/env bash
# Build the image of the Dockerfile without a Docker engine, and try it as an arbitrary user.
#
# Debian's buildah builds with chroot isolation. Where no registry of images can be reached, a base of Debian's
# own packages stands in for the image that the Dockerfile begins with. torch comes from wherever this machine's
# pip finds it. Needs Debian, root, and: apt-get install buildah debootstrap
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suite=bookworm
image=localhost/lda-app:check
work=$(mktemp -d "${TMPDIR:-/tmp}/lda-app-docker.XXXXXX")
trap 'rm -rf "$work"' EXIT

buildah() {
  command buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"
}

say() { printf '== %s\n' "$*"; }

for tool in buildah debootstrap; do
  command -v "$tool" > /dev/null || { echo >&2 "$tool is missing: apt-get install buildah debootstrap"; exit 1; }
done

base=$(awk '/^FROM/ { print $2; exit }' Dockerfile)
say "base of Debian $suite, tagged as $base"
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv "$suite" "$work/base" > "$work/debootstrap.log" \
  || { tail -5 "$work/debootstrap.log" >&2; exit 1; }
tar -C "$work/base" -cf "$work/base.tar" .
rm -rf "$work/base"
printf 'FROM scratch\nADD base.tar /\n' > "$work/Containerfile"
buildah bud --isolation chroot --quiet --tag "docker.io/library/$base" --file "$work/Containerfile" "$work" > /dev/null
rm "$work/base.tar"

say "an index that serves this machine's torch"
mkdir -p "$work/index/torch"
python3 -m pip download --quiet --no-deps --dest "$work/index/torch" --constraint constraints.txt torch
for wheel in "$work"/index/torch/*.whl; do
  printf '<a href="%s">%s</a>\n' "$(basename "$wheel" | sed 's/+/%2B/')" "$(basename "$wheel")"
done > "$work/index/torch/index.html"

say "the image"
mounts=(--volume "$work/index:/index:ro" --volume /etc/ssl/certs:/etc/ssl/certs:ro)
[[ ! -f /etc/pip.conf ]] || mounts+=(--volume /etc/pip.conf:/etc/pip.conf:ro)
buildah bud --isolation chroot --network host --pull-never "${mounts[@]}" \
  --build-arg TORCH_INDEX=file:///index --tag "$image" .

say "the app in it, as user 12345, in a folder of that user"
mkdir -m 755 "$work/data"
printf 'text,year\n' > "$work/data/news.csv"
for number in $(seq 60); do
  printf 'the rocket reached orbit around the moon,%d\nthe goalkeeper saved the match for the team,%d\n' "$number" "$number"
done >> "$work/data/news.csv"
chown -R 12345:12345 "$work/data"
container=$(buildah from --pull-never "$image")

app() {
  buildah run --isolation chroot --user 12345:12345 --volume "$work/data:/data" "$container" -- lda-app "$@"
}

app --version
app corpus build news.csv --text-column text --min-df 1 --max-df 1.0 --out corpus
app train corpus --out run --num-topics 2 --epochs 2
app topics run
[[ $(stat -c %u "$work/data/run/manifest.json") == 12345 ]] || { echo >&2 "the run is not its user's"; exit 1; }
size=$(du -sh "$(buildah mount "$container")" | cut -f1)
say "done: the image holds $size, and its files are made by the user who runs it"
