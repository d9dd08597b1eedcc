import type {
  Reservation as WireReservation,
  ReservationService,
} from "@firstlight/api-client/gen/firstlight/v1/reservation_pb.js";
import { ipamSchema, type Replica, type Reservation, RESERVATION_FIELDS, writeValues } from "@firstlight/ipam";
import { reservationEdit, type ReservationEdit, type Store } from "@firstlight/ipam/store";
import { formatAddress, type Mac, parseMac } from "@firstlight/wire";
import { addressOf, macOf, textOf } from "../grpc/field.ts";
import { invalid } from "../grpc/error.ts";
import { page } from "../grpc/page.ts";
import { segmentIn } from "./handlers.ts";
import type { Handlers } from "../grpc/server.ts";

const MAX_NAME = 253;
const declared = ipamSchema.shape.reservations.unwrap().element;

/** Reservations, and the deletion of interfaces. */
export function reservationHandlers(store: Store, replica: Replica): Handlers<typeof ReservationService> {
  const toWire = (row: Reservation) => ({
    segment: replica.segment(row.segment)?.name ?? "",
    address: formatAddress(row.address),
    origin: row.origin,
    identity: row.identity,
    ...writeValues(RESERVATION_FIELDS, row),
  });
  return {
    listReservations(request) {
      const { ordered } = replica;
      const segment = segmentIn(replica, request.segment);
      const rows = (token: string) => ordered.reservations(token || undefined, segment);
      const [reservations, nextPageToken] = page(rows, (row) => ordered.reservationKey(row), request);
      return { reservations: reservations.map(toWire), nextPageToken };
    },

    async putReservation({ reservation }, { actor }) {
      const edit = editOf(reservation);
      return { reservation: { ...toWire(await store.putReservation(edit, actor)), segment: edit.segment } };
    },

    async deleteReservation({ segment, address }, { actor }) {
      await store.deleteReservation(textOf(segment, "segment", MAX_NAME, 1), addressOf(address, "address"), actor);
      return {};
    },

    async deleteInterface({ segment, mac }, { actor }) {
      const number = parseMac(macOf(mac, "mac")) as Mac;
      const { preserved } = await store.deleteInterface(textOf(segment, "segment", MAX_NAME, 1), number, actor);
      return { preserved: [...preserved] };
    },
  };
}

/** With the same rules as in the site's file. */
function editOf(wire: WireReservation | undefined): ReservationEdit {
  if (!wire) throw invalid("reservation", "field-missing");
  const { segment, address, mac, uuid, clientId, port } = wire;
  const settings = Object.keys(RESERVATION_FIELDS).flatMap((name) => {
    const value = wire[name as keyof WireReservation];
    return value === undefined ? [] : [[name, value]];
  });
  const read = declared.safeParse({
    segment,
    address,
    ...(Object.fromEntries(settings) as object),
    ...(mac && { mac }),
    ...(uuid && { uuid }),
    ...(clientId && { clientId }),
    ...(port && {
      port: { relay: port.relay, circuitId: port.circuitId, ...(port.remoteId && { remoteId: port.remoteId }) },
    }),
  });
  const issue = read.error?.issues[0];
  if (issue || !read.data)
    throw invalid(["reservation", ...(issue?.path ?? [])].join("."), "field-malformed", {
      fault: issue?.message ?? "",
    });
  return reservationEdit(read.data);
}
