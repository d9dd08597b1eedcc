import { formatSubject, type Subject } from "@firstlight/api-client";

/** Who may call what: subjects as in certificates, `operator` for any operator, `anybody` for every certificate of the site. */
export const RULES: Readonly<Record<string, readonly string[]>> = {
  "firstlight.v1.BootService/Decide": ["daemon/pxe-http", "daemon/tftpd", "operator"],
  "firstlight.v1.BootService/PhoneHome": ["daemon/pxe-http", "operator"],
  "firstlight.v1.EventService/Report": ["daemon/dhcpd", "daemon/tftpd", "daemon/pxe-http", "operator"],
  "firstlight.v1.EventService/GetFeedPosition": ["daemon/dhcpd", "operator"],
  "firstlight.v1.MachineService/GetMachine": ["operator"],
  "firstlight.v1.MachineService/ListMachines": ["operator"],
  "firstlight.v1.MachineService/WatchMachines": ["operator"],
  "firstlight.v1.MachineService/GetTimeline": ["operator"],
  "firstlight.v1.MachineService/AssignMachine": ["operator"],
  "firstlight.v1.MachineService/ReleaseMachine": ["operator"],
  "firstlight.v1.IpamService/ListSegments": ["operator"],
  "firstlight.v1.IpamService/CreateSegment": ["operator"],
  "firstlight.v1.IpamService/UpdateSegment": ["operator"],
  "firstlight.v1.IpamService/DeleteSegment": ["operator"],
  "firstlight.v1.IpamService/Drain": ["operator"],
  "firstlight.v1.IpamService/Undrain": ["operator"],
  "firstlight.v1.IpamService/ListDomains": ["operator"],
  "firstlight.v1.IpamService/ListInterfaces": ["operator"],
  "firstlight.v1.IpamService/ListLeases": ["operator"],
  "firstlight.v1.IpamService/PutName": ["operator"],
  "firstlight.v1.IpamService/ListNames": ["operator"],
  "firstlight.v1.IpamService/DeleteName": ["operator"],
  "firstlight.v1.HistoryService/WhoHad": ["operator"],
  "firstlight.v1.HistoryService/WhatHad": ["operator"],
  "firstlight.v1.HistoryService/Audit": ["operator"],
  "firstlight.v1.HistoryService/GetUtilisation": ["operator"],
  "firstlight.v1.PoolService/ListPools": ["operator"],
  "firstlight.v1.PoolService/PutPool": ["operator"],
  "firstlight.v1.PoolService/DeletePool": ["operator"],
  "firstlight.v1.PoolService/Allocate": ["operator"],
  "firstlight.v1.PoolService/Release": ["operator"],
  "firstlight.v1.PoolService/ListGrants": ["operator"],
  "firstlight.v1.ReservationService/ListReservations": ["operator"],
  "firstlight.v1.ReservationService/PutReservation": ["operator"],
  "firstlight.v1.ReservationService/DeleteReservation": ["operator"],
  "firstlight.v1.ReservationService/DeleteInterface": ["operator"],
  "firstlight.v1.DeviceService/ListDevices": ["operator"],
  "firstlight.v1.DeviceService/ExpectDevices": ["operator"],
  "firstlight.v1.DeviceService/UnexpectDevices": ["operator"],
  "firstlight.v1.ExchangeService/Export": ["operator"],
  "firstlight.v1.ExchangeService/Import": ["operator"],
  "firstlight.v1.ExchangeService/ImportLeases": ["operator"],
  "grpc.health.v1.Health/Check": ["anybody"],
  "grpc.health.v1.Health/Watch": ["anybody"],
  "grpc.reflection.v1.ServerReflection/ServerReflectionInfo": ["anybody"],
  "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": ["anybody"],
};

/** The events that a daemon may report; the API itself reports `machine.state` and `pxe.phone-home`. */
export const KINDS: Readonly<Record<string, RegExp>> = {
  "daemon/dhcpd": /^(dhcp|interface)\./,
  "daemon/tftpd": /^tftp\./,
  "daemon/pxe-http": /^pxe\.(?!phone-home$)/,
  operator: /^(dhcp|interface|tftp|pxe)\.(?!phone-home$)/,
};

export function mayCall(subject: Subject, method: string): boolean {
  const allowed = RULES[method] ?? [];
  return allowed.includes("anybody") || allowed.includes(roleOf(subject));
}

export function mayTell(subject: Subject, kind: string): boolean {
  return KINDS[roleOf(subject)]?.test(kind) ?? false;
}

function roleOf(subject: Subject): string {
  return subject.is === "operator" ? "operator" : formatSubject(subject);
}
