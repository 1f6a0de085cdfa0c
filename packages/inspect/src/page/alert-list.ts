// The alerts of a snapshot, above all views. A new kind of alert is announced once.
import { alertsOf } from '../alerts.js'
import { visible } from '../names.js'
import type { Moment } from '../snapshot.js'
import { byId, make, say } from './dom.js'
import { fill } from './fill.js'
import type { Shown } from './shown.js'

let known = new Set<string>()

/** Shows what is wrong in a snapshot. */
export function showAlerts(shown: Shown, history: readonly Moment[]): void {
  const alerts = alertsOf(shown, history)
  fill(byId('alerts'), ...alerts.map(({ code, says }) => make('li', { 'data-code': code }, visible(says))))
  const fresh = alerts.filter(({ code }) => !known.has(code))
  if (fresh.length > 0) say('said', fresh.map(({ says }) => says).join(' '))
  known = new Set(alerts.map(({ code }) => code))
}
