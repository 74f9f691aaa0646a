// The TypeScript client in use. Compiled with what is generated: a name or form that the description changes
// is an error here.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/daemon";

type Entry = components["schemas"]["Entry"];

export function clientOf(baseUrl: string, token: string) {
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
}

export async function publish(baseUrl: string, token: string, text: string): Promise<Entry> {
  const client = clientOf(baseUrl, token);
  const made = await client.POST("/api/v1/{kind}", {
    params: { path: { kind: "ideas" }, header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { content: text, meta: { visibility: "public" } },
  });
  if (made.error) {
    throw new Error(`${made.error.code}: ${made.error.detail} ${made.error.hint}`);
  }
  return made.data;
}

export async function titles(baseUrl: string, token: string): Promise<number[]> {
  const found: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await clientOf(baseUrl, token).GET("/api/v1/{kind}", {
      params: { path: { kind: "ideas" }, query: { limit: 100, cursor } },
    });
    if (page.error) {
      throw new Error(page.error.detail);
    }
    if (typeof page.data === "string" || !("items" in page.data)) {
      throw new Error("Another form than JSON was answered, which is only asked for by its suffix or Accept.");
    }
    found.push(...page.data.items.map((each) => each.id));
    cursor = page.data.next ?? undefined;
  } while (cursor);
  return found;
}

export async function writeAll(baseUrl: string, token: string, texts: string[]): Promise<number> {
  const done = await clientOf(baseUrl, token).POST("/api/v1/{kind}/bulk", {
    params: { path: { kind: "ideas" } },
    body: texts.map((content) => ({ content: { content } })),
  });
  if (done.error) {
    const faults = (done.error.items ?? []).map((each) => `${each.index}: ${each.code}`);
    throw new Error([done.error.detail, ...faults].join("\n"));
  }
  return done.data.created_count;
}
