#!/usr/bin/env bash
# try_image.sh IMAGE VERSION: starts an image without any cloud, asks it how it is, and sees it go within 10 s of SIGTERM.
set -euo pipefail
image=$1 version=$2

container=$(docker run --detach --read-only --tmpfs /tmp --cap-drop ALL --publish 127.0.0.1::8080 \
  --env GOOGLE_CLOUD_PROJECT=try --env UPLOADS_BUCKET=try-uploads --env ARTIFACTS_BUCKET=try-artifacts \
  --env PUBSUB_EMULATOR_HOST=127.0.0.1:9 --env STORAGE_EMULATOR_HOST=http://127.0.0.1:9 \
  --env DATABASE_URL=postgresql+asyncpg://nobody:nothing@127.0.0.1:9/none \
  "$image")
trap 'docker logs "$container" | tail -50; docker rm --force "$container" >/dev/null' EXIT
address=http://$(docker port "$container" 8080)

for _ in $(seq 60); do
  if curl --silent --fail --max-time 2 "$address/health" >/dev/null; then break; fi
  sleep 1
done
curl --silent --fail "$address/health"
curl --silent --fail "$address/version" | grep --fixed-strings "\"$version\""
[ "$(docker exec "$container" id -u)" != 0 ]

docker stop --time 10 "$container" >/dev/null
[ "$(docker inspect --format '{{.State.ExitCode}}' "$container")" != 137 ] || { echo "had to be killed"; exit 1; }
