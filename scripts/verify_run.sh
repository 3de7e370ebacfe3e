#!/usr/bin/env bash
# Run the pipeline again in a scratch folder, and compare what came out with the run RUN, by hash.
# Called by `make verify`, which hands on CORPUS, NUM_TOPICS, SEED and the options.
set -euo pipefail

run=$1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/lda-app-verify.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

make results DATA="$scratch/data" RUNS="$scratch/runs"

again="$scratch/runs/$(basename "$run")"
different=0
printf '\n%-18s %-66s %s\n' file sha256 'run again'
for part in .topics.md .evaluation.json /vocabulary.txt /model.safetensors; do
  first=$(sha256sum < "$run$part" | cut -d' ' -f1)
  second=$(sha256sum < "$again$part" | cut -d' ' -f1)
  verdict=identical
  [[ $first == "$second" ]] || { verdict="different: $second"; different=1; }
  printf '%-18s %-66s %s\n' "${part:1}" "$first" "$verdict"
done
exit $different
