# The first process of a machine of the lab: makes the machine what it is, and buries what dies on it.
# Everything else on the machine ends with it, as with a power cut. Arguments: FOLDER NAME
set -eu
mount --bind "$1/run" /run # sockets, pid files and plugins of its own
hostname "$2"
ip link set lo up
: >"$1/up"
set +e
while :; do
  sleep 1000000 &
  wait $!
done
