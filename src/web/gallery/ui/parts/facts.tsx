/** What is not known has no value. */
export type Fact = [name: string, value: string | null | undefined | 0 | false]

/** Names and values, without what is not known. */
export const Facts = ({ facts, class: name }: { facts: Fact[]; class?: string }) => (
  <dl class={name}>
    {facts.map(([fact, value]) =>
      value ? (
        <div key={fact}>
          <dt>{fact}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ) : null,
    )}
  </dl>
)
