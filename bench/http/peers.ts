import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender, Placement, RunningServer } from "../harness/contract.ts";
import { startPinned } from "../harness/process.ts";
import { PORT, urlOf, writeContent } from "./content.ts";

/** nginx with one worker, sendfile and no access log, as one configures it for large images. */
export const nginx: Contender = { name: "nginx", peer: "nginx", packages: ["nginx-light"], start };

const CONFIG = (folder: string): string => `user root;
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=100;
  keepalive_requests 1000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${PORT}; root ${folder}; }
}
`;

async function start({ folder, core }: Placement): Promise<RunningServer> {
  chmodSync(folder, 0o755);
  writeContent(folder);
  const file = join(folder, "nginx.conf");
  writeFileSync(file, CONFIG(folder));
  const server = startPinned("nginx", "/usr/sbin/nginx", ["-e", "stderr", "-c", file], { folder, core });
  const running = { pids: () => [server.pid], [Symbol.asyncDispose]: () => server.stop() };
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await isServing()) return running;
    await sleep(100);
  }
  await server.stop();
  throw new Error(`nginx: ${server.lines.slice(-5).join(" | ")}`);
}

async function isServing(): Promise<boolean> {
  try {
    const response = await fetch(urlOf("script"));
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
