export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** One red pixel. */
export const picture =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A WAV file without a sample. */
export const sound = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

export const text = (words: string): JsonObject => ({ type: "text", text: words });
export const noArguments: JsonObject = { type: "object", properties: {} };

export const resources = [
  { uri: "test://static-text", name: "static-text", mimeType: "text/plain" },
  { uri: "test://static-binary", name: "static-binary", mimeType: "image/png" },
  { uri: "test://watched-resource", name: "watched-resource", mimeType: "text/plain" },
] as const;

export const resourceTemplate = {
  uriTemplate: "test://template/{id}/data",
  name: "template",
  mimeType: "application/json",
} as const;

/** The content of a resource; undefined where there is none of this name. */
export function readResource(uri: string): JsonObject | undefined {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id !== undefined) {
    const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { uri, mimeType: resourceTemplate.mimeType, text: data };
  }
  switch (uri) {
    case "test://static-text":
      return { uri, mimeType: "text/plain", text: "This is the content of the static text resource." };
    case "test://static-binary":
      return { uri, mimeType: "image/png", blob: picture };
    case "test://watched-resource":
      return { uri, mimeType: "text/plain", text: "Watched resource content" };
  }
  return undefined;
}

export interface Prompt {
  readonly name: string;
  readonly arguments: readonly string[];
  render(given: Readonly<Record<string, string>>): JsonObject[];
}

const user = (content: JsonObject): JsonObject => ({ role: "user", content });

export const prompts: readonly Prompt[] = [
  {
    name: "test_simple_prompt",
    arguments: [],
    render: () => [user(text("This is a simple prompt for testing."))],
  },
  {
    name: "test_prompt_with_arguments",
    arguments: ["arg1", "arg2"],
    render: ({ arg1, arg2 }) => [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  },
  {
    name: "test_prompt_with_embedded_resource",
    arguments: ["resourceUri"],
    render: ({ resourceUri = "" }) => [
      user({
        type: "resource",
        resource: {
          uri: resourceUri,
          mimeType: "text/plain",
          text: "Embedded resource content for testing.",
        },
      }),
      user(text("Please process the embedded resource above.")),
    ],
  },
  {
    name: "test_prompt_with_image",
    arguments: [],
    render: () => [
      user({ type: "image", data: picture, mimeType: "image/png" }),
      user(text("Please analyze the image above.")),
    ],
  },
];
