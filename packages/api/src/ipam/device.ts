import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  Device as WireDevice,
  DeviceSchema,
  DeviceService,
} from "@firstlight/api-client/gen/firstlight/v1/device_pb.js";
import { type ExpectedDevice, expectedMachinesSchema, labelBase, type Replica, slug } from "@firstlight/ipam";
import type { DeviceEdit, Store } from "@firstlight/ipam/store";
import { formatAddress, formatMac, type Mac, parseMac } from "@firstlight/wire";
import { addressOf, macOf, textOf } from "../grpc/field.ts";
import { invalid } from "../grpc/error.ts";
import type { Handlers } from "../grpc/server.ts";
import { page } from "../grpc/page.ts";

const MOST = 10_000;
const MAX_NAME = 253;
const machine = expectedMachinesSchema.unwrap().element;

/** Expected devices, for operators and for automation that reads inventories. */
export function deviceHandlers(store: Store, replica: Replica): Handlers<typeof DeviceService> {
  const toWire = (row: ExpectedDevice) => deviceToWire(row, replica);
  return {
    listDevices(request) {
      const name = textOf(request.machine, "machine", MAX_NAME);
      const rows = (token: string) =>
        name === "" ? replica.ordered.devices(macAfter(token)) : devicesOf(replica, name, macAfter(token));
      const [devices, nextPageToken] = page(rows, ({ mac }) => formatMac(mac), request);
      return { devices: devices.map(toWire), nextPageToken };
    },

    async expectDevices({ devices }, { actor }) {
      mustFit(devices.length, "devices");
      const edits = labelled(devices.map(editOf), replica);
      await store.expect(edits, actor);
      return { devices: edits.map((edit) => editToWire(edit)) };
    },

    async unexpectDevices({ macs }, { actor }) {
      mustFit(macs.length, "macs");
      await store.unexpect(
        macs.map((text, i) => parseMac(macOf(text, `macs.${i}`)) as Mac),
        actor,
      );
      return {};
    },
  };
}

function mustFit(count: number, field: string): void {
  if (count === 0) throw invalid(field, "field-empty");
  if (count > MOST) throw invalid(field, "field-too-large", { most: String(MOST) });
}

/** The devices of one machine, in the order of MACs. */
function devicesOf(replica: Replica, name: string, after: number): ExpectedDevice[] {
  const label = slug(name);
  const rows = label === undefined ? [...replica.expectedDevices()] : replica.devicesOf(label);
  return rows.filter((row) => row.machine === name && row.mac > after).toSorted((a, b) => a.mac - b.mac);
}

function macAfter(token: string): number {
  return token === "" ? -1 : (parseMac(macOf(token, "page_token")) as Mac);
}

/** A device of a request; its label may be absent. */
type Written = Omit<DeviceEdit, "label"> & { readonly label?: string };

/** With the rules of the site's file. */
function editOf({ mac, machine: name, role, serial, label, address, segment }: WireDevice, i: number): Written {
  const read = machine.safeParse({
    name,
    ...(serial && { serial }),
    interfaces: [{ mac, role, ...(label && { label }), ...(address && { address }), ...(segment && { segment }) }],
  });
  const issue = read.error?.issues[0];
  const at =
    issue?.path[0] === "name" ? ["machine"] : (issue?.path.slice(issue.path[0] === "interfaces" ? 2 : 0) ?? []);
  if (issue || !read.data)
    throw invalid(["devices", i, ...at].join("."), "field-malformed", { fault: issue?.message ?? "" });
  const [one] = read.data.interfaces;
  return {
    mac: parseMac(one!.mac) as Mac,
    machine: name,
    role: one!.role,
    ...(serial && { serial }),
    ...(one!.label !== undefined && { label: one!.label.toLowerCase() }),
    ...(address && { address: addressOf(address, `devices.${i}.address`) }),
    ...(segment && { segment }),
  };
}

/** A device without a label keeps its present one, or gets the first free label of its machine and role. */
function labelled(devices: readonly Written[], replica: Replica): DeviceEdit[] {
  const taken = new Set<string>();
  for (const { label } of devices) if (label !== undefined) taken.add(label);
  const isTaken = (label: string, { machine: name, mac }: Written): boolean =>
    taken.has(label) || replica.devicesOf(name).some((row) => row.label === label && row.mac !== mac);
  return devices.map((device) => {
    const base = labelBase(device.machine, device.role);
    let label = device.label ?? ownLabel(device, replica) ?? base;
    for (let n = 2; device.label === undefined && isTaken(label, device); n++) label = `${base}-${n}`;
    taken.add(label);
    return { ...device, label };
  });
}

function ownLabel({ mac, machine: name, role }: Written, replica: Replica): string | undefined {
  const known = replica.expected(mac);
  return known?.machine === name && known.role === role ? known.label : undefined;
}

function editToWire({ address, ...device }: DeviceEdit): MessageInitShape<typeof DeviceSchema> {
  return { ...device, mac: formatMac(device.mac), ...(address !== undefined && { address: formatAddress(address) }) };
}

function deviceToWire(row: ExpectedDevice, replica: Replica): MessageInitShape<typeof DeviceSchema> {
  const { mac, machine: name, role, serial = "", label, address } = row;
  const own = replica.interfacesOf(mac);
  const isSeen = own.some(({ state }) => state !== "predicted");
  const predicted = own.find(({ state }) => state === "predicted");
  const place = row.segment ?? predicted?.segment;
  return {
    mac: formatMac(mac),
    machine: name,
    role,
    serial,
    label,
    address: address === undefined ? "" : formatAddress(address),
    segment: place === undefined ? "" : (replica.segment(place)?.name ?? ""),
    state: isSeen ? "seen" : predicted ? "predicted" : "expected",
  };
}
