// A program that reserves 1 GiB of this host's memory and ends.
import { memory } from 'memlayer'

memory.sysReserve(null, 2 ** 30)
