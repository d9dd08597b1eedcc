#!/bin/busybox sh
# The discovery image's init: takes a lease, looks up its own name through the site's resolver, phones home, reports, reboots.
b=/bin/busybox
$b mkdir -p /proc /sys /dev /etc
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev 2>/dev/null
for module in $($b cat /modules/order); do
  [ -f /modules/$module.ko ] && $b insmod /modules/$module.ko
done
$b ip link set lo up
$b ip link set eth0 up

report() { echo "E2E $*"; }
stop() { report "FAILED $*"; $b sleep 2; $b poweroff -f; }
argument() { for word in $($b cat /proc/cmdline); do case $word in $1=*) echo "${word#*=}";; esac; done; }

$b udhcpc -i eth0 -s /udhcpc.sh -n -q -t 8 -T 2 >/dev/null 2>&1 || stop "no lease"
. /etc/lease
report "lease $ip host $hostname domain $domain dns $dns"

url=$(argument firstlight.url)
token=$(argument firstlight.token)
[ -n "$url" ] || stop "no firstlight.url on the command line"

i=0
while :; do
  answer=$($b nslookup "$hostname.$domain" "$dns" 2>/dev/null | $b grep -A1 "^Name:" | $b grep "^Address" | $b head -1)
  case "$answer" in *"$ip"*) break;; esac
  i=$((i + 1)); [ $i -gt 20 ] && stop "own name $hostname.$domain does not resolve: $answer"
  $b sleep 1
done
report "resolved $hostname.$domain $ip"

$b wget -q -O /etc/meta-data "$url/cloud-init/meta-data" || stop "no meta-data"
$b grep -q "^instance-id" /etc/meta-data || stop "meta-data without instance-id"

i=0
until $b wget -q -O /etc/home --post-data "token=$token&hostname=$hostname&kernel=$($b uname -r)" "$url/phone-home"; do
  i=$((i + 1)); [ $i -gt 30 ] && stop "phone-home is not accepted"
  $b sleep 1
done
report "READY $(argument firstlight.action) $hostname.$domain $ip ok"
$b sleep 1
$b reboot -f
