import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { connect as connectTls } from "node:tls";
import { ApiUnavailable, connectApi, connectOperator, UnknownMachine } from "@firstlight/api-client";
import { testTrust } from "@firstlight/kit";
import { siteSchema, systemClock } from "@firstlight/service";
import { status, type ServiceError } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { addressOf, HOST, openHouse } from "./house.ts";

const code = (wanted: status) => (error: ServiceError) => {
  assert.equal(status[error.code], status[wanted], error.details);
  return true;
};

test("a daemon starts while the API is away, and what it told meanwhile arrives", async (t) => {
  await using house = await openHouse();
  const stateDir = mkdtempSync(join(tmpdir(), "firstlight-state-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  const credentials = await house.trust.issue("daemon/dhcpd");
  const context = (apiEndpoint: string) => ({
    site: { ...siteSchema.parse({ apiEndpoint, site: { stateDir } }), trust: { dir: house.trust.dir } },
    credentials,
    clock: systemClock,
    log: pino({ enabled: false }),
    metrics: new Registry(),
  });
  {
    await using away = await connectApi(context("127.0.0.1:9"));
    away.reporter.report({ kind: "dhcp.discover", mac: HOST });
    await assert.rejects(away.api.feedPosition(), ApiUnavailable);
  }
  {
    await using back = await connectApi(context(house.address()));
    assert.equal(await back.reporter.flush(60_000), 0);
  }
  const { machines } = await house.operator();
  assert.deepEqual(
    (await machines.getTimeline({ machine: "r1-m01" })).events.map(({ kind }) => kind),
    ["dhcp.discover"],
  );
});

test("a client without a certificate, or with another site's, gets no answer", async () => {
  await using house = await openHouse();
  const port = Number(house.address().split(":")[1]);
  const bare = await new Promise<string>((resolve) => {
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    socket.on("close", () => resolve("closed"));
  });
  assert.match(bare, /CERTIFICATE_REQUIRED|ECONNRESET|closed/);

  using elsewhere = await testTrust("elsewhere");
  const foreign = { ...(await elsewhere.issue("operator/root")), ca: (await house.trust.issue("operator/root")).ca };
  using other = connectOperator({ address: house.address(), site: "lab", ...foreign });
  await assert.rejects(other.machines.listMachines({}), code(status.UNAVAILABLE));
});

test("a daemon of the site cannot play the API, and no daemon plays an operator", async () => {
  await using house = await openHouse();
  using impostor = connectOperator({
    address: house.address(),
    site: "other",
    ...(await house.trust.issue("operator/root")),
  });
  await assert.rejects(impostor.machines.listMachines({}), (error: ServiceError) => {
    assert.equal(error.code, status.UNAVAILABLE);
    assert.match(error.details, /not of spiffe:\/\/other\/daemon\/api/);
    return true;
  });
  using daemon = connectOperator({
    address: house.address(),
    site: "lab",
    ...(await house.trust.issue("daemon/dnsd")),
  });
  await assert.rejects(daemon.machines.listMachines({}), code(status.PERMISSION_DENIED));
  assert.equal((await daemon.health.check({})).status, 1);
});

test("health is told as a whole, by service, and as it changes", async () => {
  await using house = await openHouse();
  const { health } = await house.operator();
  assert.equal((await health.check({ service: "firstlight.v1.BootService" })).status, 1);
  await assert.rejects(health.check({ service: "no.such.Service" }), code(status.NOT_FOUND));
  const watch = health.watch({ service: "no.such.Service" })[Symbol.asyncIterator]();
  assert.equal((await watch.next()).value.status, 3);
  await watch.return?.();
});

test("without its database the API says UNAVAILABLE, never something else", async () => {
  await using house = await openHouse();
  const pxe = await house.api("pxe-http");
  await house.lose();
  await assert.rejects(pxe.decide({ mac: HOST, address: addressOf(HOST) }), (error: Error) => {
    assert.ok(error instanceof ApiUnavailable && !(error instanceof UnknownMachine));
    assert.match(error.message, /the database is away/);
    return true;
  });
});

test("any bytes on the port leave the API serving", async () => {
  await using house = await openHouse();
  const port = Number(house.address().split(":")[1]);
  const credentials = await house.trust.issue("operator/root");
  for (let i = 0; i < 40; i++) {
    const bytes = crypto.getRandomValues(new Uint8Array(1 + ((i * 97) % 900)));
    const isTls = i % 2 === 0;
    await new Promise<void>((resolve) => {
      const socket = isTls
        ? connectTls({ port, host: "127.0.0.1", servername: "localhost", ...credentials, ALPNProtocols: ["h2"] })
        : connectTcp(port, "127.0.0.1");
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
      socket.once(isTls ? "secureConnect" : "connect", () => socket.end(bytes));
      socket.resume();
      socket.setTimeout(500, () => socket.destroy());
    });
  }
  const { machines } = await house.operator();
  assert.equal((await machines.listMachines({})).machines.length, 1);
});
