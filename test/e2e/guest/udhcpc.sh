#!/bin/sh
# Called by udhcpc: configures the interface and saves the lease's values.
b=/bin/busybox
case "$1" in
bound | renew)
  $b ip addr flush dev "$interface"
  $b ip addr add "$ip/${mask:-24}" dev "$interface"
  for gateway in $router; do $b ip route add default via "$gateway" dev "$interface"; break; done
  printf 'ip=%s\nhostname=%s\ndomain=%s\ndns=%s\n' "$ip" "$hostname" "$domain" "${dns%% *}" > /etc/lease
  ;;
esac
