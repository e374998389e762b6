// What a program in TypeScript does with the types that are made from docs/openapi.json: it has to compile.
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi.js";

type Channel = components["schemas"]["Channel"];

function address(channel: Channel): string {
  switch (channel.kind) {
    case "email":
      return channel.email;
    case "webhook":
      return `${channel.url} ${channel.rate_per_second ?? "without limit"}`;
    case "slack":
      return channel.url;
  }
}

export async function run(key: string): Promise<string[]> {
  const client = createClient<paths>({
    baseUrl: "https://leadline.example",
    headers: { Authorization: `Bearer ${key}` },
  });
  const made = await client.POST("/api/v1/channels", { body: { kind: "webhook", url: "https://example.com/in" } });
  if (made.data?.kind === "webhook") made.data.secret satisfies string | null;
  const lead = await client.GET("/api/v1/leads/{id}", { params: { path: { id: "lead_1" } } });
  lead.error?.detail satisfies string | undefined;
  const page = await client.GET("/api/v1/channels");
  return (page.data?.results ?? []).map(address);
}
