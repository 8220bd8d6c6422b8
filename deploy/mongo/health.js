// Begin the replica set the first time; succeed once this server takes writes.
const fs = require("fs");
const admin = db.getSiblingDB("admin");
admin.auth("root", fs.readFileSync(process.env.ROOT_PASSWORD_FILE || "/run/secrets/mongo_root", "utf8").trim());
try {
  rs.status();
} catch (notYet) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
if (!admin.hello().isWritablePrimary) quit(1);
