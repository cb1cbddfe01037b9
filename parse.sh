#!/usr/bin/env bash
# Usage: parse.sh --world-size N [--profile-dir profiles] [--rank 0] [--module NAME]; parse.sh --file-path FILE; --help
# Reports on what run.sh recorded.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
exec "$root/layerwise" parse "$@"
