// Vitest over every-way.ts alone, which ordinary runs leave out because some of its tests fail on purpose.
export default { test: { include: ['every-way.ts'], reporters: ['json'], watch: false } }
