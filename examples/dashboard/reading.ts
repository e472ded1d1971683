/** What a worker measures; as JSON it goes from the workers to the page. */
export interface Reading {
  readonly worker: string
  readonly value: number
}

/** In the order in which the page draws them. */
export const workers = ["Ada", "Grace", "Edith"] as const
