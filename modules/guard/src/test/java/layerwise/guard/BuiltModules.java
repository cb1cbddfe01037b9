package layerwise.guard;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Exports;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The modules of this checkout as they were compiled.
 *
 * @param classes folder of class files by module folder, as in {@code tensor}
 */
record BuiltModules(Path home, SequencedMap<String, Path> classes) {
    private static final String HEADING = """
            # Module descriptors as compiled; ModuleGraphTest compares. A new edge or exported package needs a decision \
            record in docs/adr.
            """;

    /** Every folder under {@code modules} whose sources have a descriptor. */
    static BuiltModules ofThisCheckout() {
        Path home = Path.of(System.getProperty("layerwise.home"));
        SequencedMap<String, Path> classes = new TreeMap<>();
        try (Stream<Path> folders = Files.list(home.resolve("modules"))) {
            folders.filter(folder -> Files.exists(folder.resolve("src/main/java/module-info.java")))
                    .forEach(folder -> classes.put(folder.getFileName().toString(), folder.resolve("target/classes")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        classes.forEach((folder, path) -> {
            if (!Files.exists(path.resolve("module-info.class"))) {
                throw new IllegalStateException("modules/" + folder + " is not built: run mvn verify");
            }
        });
        return new BuiltModules(home, classes);
    }

    /** Descriptor by module folder, with the packages that the folder holds. */
    SequencedMap<String, ModuleDescriptor> descriptors() {
        SequencedMap<String, ModuleDescriptor> descriptors = new TreeMap<>();
        classes.forEach((folder, path) -> descriptors.put(
                folder,
                ModuleFinder.of(path).findAll().stream()
                        .map(reference -> reference.descriptor())
                        .findFirst()
                        .orElseThrow()));
        return descriptors;
    }

    /** The descriptors as the committed text has them: modules, then clauses, in alphabetical order. */
    String graph() {
        StringBuilder text = new StringBuilder(HEADING);
        for (ModuleDescriptor descriptor : descriptors().values()) {
            text.append(descriptor.name()).append('\n');
            for (String clause : clauses(descriptor)) {
                text.append("    ").append(clause).append('\n');
            }
        }
        return text.toString();
    }

    private static Set<String> clauses(ModuleDescriptor descriptor) {
        Set<String> clauses = new TreeSet<>();
        for (Requires requires : descriptor.requires()) {
            if (!requires.modifiers().contains(Requires.Modifier.MANDATED)) {
                clauses.add("requires "
                        + (requires.modifiers().contains(Requires.Modifier.STATIC) ? "static " : "")
                        + (requires.modifiers().contains(Requires.Modifier.TRANSITIVE) ? "transitive " : "")
                        + requires.name());
            }
        }
        for (Exports exports : descriptor.exports()) {
            clauses.add("exports " + exports.source() + to(exports.targets()));
        }
        descriptor.opens().forEach(opens -> clauses.add("opens " + opens.source() + to(opens.targets())));
        descriptor.uses().forEach(service -> clauses.add("uses " + service));
        descriptor.provides().forEach(provides -> clauses.add("provides " + provides.service()));
        return clauses;
    }

    private static String to(Set<String> targets) {
        return targets.isEmpty() ? "" : " to " + String.join(", ", new TreeSet<>(targets));
    }
}
