package config

// PostgresConnections is how many connections the database takes, of any size: the source's max_connections. What all workloads open
// together must stay below it (D4).
const PostgresConnections = 200
