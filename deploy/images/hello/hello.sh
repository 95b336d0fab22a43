#!/bin/sh
# The example's whole program: says hello every few seconds and goes at once when asked to. As
# process 1 it gets no default reaction to SIGTERM, hence the trap; the sleep runs in the
# background, because the shell answers a signal only between two commands.
trap 'echo "hello: asked to stop, bye"; exit 0' TERM INT
echo "hello: started on $(hostname)"
count=0
while :; do
  sleep 5 &
  wait $!
  count=$((count + 1))
  echo "hello: still here, $((count * 5)) seconds now"
done
