import { confirmationUrl, confirmSubscription } from '../../src/storage/sns'

const asking = (url: string) => ({ Type: 'SubscriptionConfirmation', Token: 't', SubscribeURL: url })
const genuine = 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t'

/** A fake fetch that records URLs. */
function fakeFetch(status: number) {
  const opened: string[] = []
  const open = async (url: unknown) => {
    opened.push(String(url))
    return new Response('', { status })
  }
  return { opened, open: open as typeof fetch }
}

it('finds the URL in a confirmation, and only there', () => {
  expect(confirmationUrl(asking(genuine))?.href).toBe(genuine)
  expect(confirmationUrl({ ...asking(genuine), Type: 'Notification' })).toBeUndefined()
  expect(confirmationUrl(undefined)).toBeUndefined()
})

it('opens the URL of SNS', async () => {
  const { opened, open } = fakeFetch(200)
  await confirmSubscription(new URL(genuine), open)
  expect(opened).toEqual([genuine])
})

it.each([
  'https://sns.eu-west-1.amazonaws.com.evil.example/',
  'https://evil.example/?sns.eu-west-1.amazonaws.com',
  'http://sns.eu-west-1.amazonaws.com/',
  'https://sns.eu-west-1.amazonaws.com:8443/',
  'http://169.254.169.254/latest/meta-data/',
])('does not open %s', async (url) => {
  const { opened, open } = fakeFetch(200)
  await expect(confirmSubscription(new URL(url), open)).rejects.toMatchObject({
    code: 'subscription_refused',
  })
  expect(opened).toEqual([])
})

it('fails when SNS refuses', async () => {
  await expect(confirmSubscription(new URL(genuine), fakeFetch(403).open)).rejects.toMatchObject({
    status: 403,
  })
})
