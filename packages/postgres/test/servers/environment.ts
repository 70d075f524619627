/** All that the programs get of one: what is set for whoever runs the tests, such as PGDATA, is not for them. */
export const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }
