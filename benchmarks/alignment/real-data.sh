#!/usr/bin/env bash
# Reward models and DPO on real preferences over three seeds: held-out accuracy with confidence intervals.
#   benchmarks/alignment/real-data.sh PREFERENCES MODEL OUTPUT
# PREFERENCES holds NAME_train.jsonl and NAME_test.jsonl for every NAME below; MODEL is a small language model's folder.
set -euo pipefail
[ $# = 3 ] || { sed -n 3,4p "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
handbook=${HANDBOOK:-$here/../../handbook}
for name in hh ultra_like; do
    mkdir -p "$3/data/$name"
    ln -sf "$(realpath "$1")/${name}_train.jsonl" "$3/data/$name/train.jsonl"
    ln -sf "$(realpath "$1")/${name}_test.jsonl" "$3/data/$name/test.jsonl"
    for task in reward dpo; do
        "$handbook" sweep "$here/$task.yaml" --seed=1,2,3 --model_name_or_path="$2" --dataset_name="$3/data/$name" --output_dir="$3/$task-$name"
    done
done
