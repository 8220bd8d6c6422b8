// Make, or bring up to date, a role and a user for each part that opens the ledger:
//   mongosh HOST --file deploy/mongo/users.js
// Reads roles.json beside it, {"part": "password"} from USERS_FILE and root's password from ROOT_PASSWORD_FILE.
// The database is DATABASE, by default samplemind. Safe to repeat: a changed password or role takes effect.
const fs = require("fs");
const env = process.env;
const users = JSON.parse(fs.readFileSync(env.USERS_FILE || "/run/secrets/mongo_users.json", "utf8"));
const roles = JSON.parse(fs.readFileSync(env.ROLES_FILE || "/deploy/mongo/roles.json", "utf8"));
const root = fs.readFileSync(env.ROOT_PASSWORD_FILE || "/run/secrets/mongo_root", "utf8").trim();

const admin = db.getSiblingDB("admin");
admin.auth("root", root);
const name = env.DATABASE || "samplemind";
const ledger = admin.getSiblingDB(name);

for (const [part, privileges] of Object.entries(roles)) {
  const role = `samplemind-${part}`;
  const may = privileges.map(({ collection, actions }) => ({ resource: { db: name, collection }, actions }));
  if (ledger.getRole(role)) ledger.updateRole(role, { privileges: may, roles: [] });
  else ledger.createRole({ role, privileges: may, roles: [] });
  const user = { pwd: users[part], roles: [role], mechanisms: ["SCRAM-SHA-256"] };
  if (ledger.getUser(part)) ledger.updateUser(part, user);
  else ledger.createUser({ user: part, ...user });
  print(`${part}: may do what ${role} says`);
}
