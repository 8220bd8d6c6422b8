// Begin a replica set of MEMBERS ("a:27017,b:27017,c:27017") the first time, asked at its first member by the name by which
// the others and every client will know it. Succeed once it takes writes. Safe to repeat.
const fs = require("fs");
const admin = db.getSiblingDB("admin");
admin.auth("root", fs.readFileSync(process.env.ROOT_PASSWORD_FILE || "/run/secrets/mongo_root", "utf8").trim());
const members = process.env.MEMBERS.split(",").map((host, _id) => ({ _id, host }));
try {
  rs.status();
} catch (notYet) {
  rs.initiate({ _id: "rs0", members });
}
if (!admin.hello().primary) quit(1);
