package layerwise.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ModuleGraphTest {
    private static final String GOLDEN = "docs/module-graph.txt";

    /** The plan: the modules that each may build on, before transitivity. */
    private static final Map<String, Set<String>> PLAN = Map.ofEntries(
            Map.entry("tensor", Set.of()),
            Map.entry("trace", Set.of()),
            Map.entry("bindings", Set.of()),
            Map.entry("op", Set.of("tensor")),
            Map.entry("model", Set.of("op")),
            Map.entry("reference", Set.of("op")),
            Map.entry("estimate", Set.of("op")),
            Map.entry("mpi", Set.of("bindings", "op")),
            Map.entry("cuda", Set.of("bindings", "tensor", "trace")),
            Map.entry("kernels", Set.of("op", "cuda")),
            Map.entry("report", Set.of("trace")),
            Map.entry("bench", Set.of("model", "reference", "estimate", "kernels", "cuda", "mpi", "trace")));

    private final BuiltModules modules = BuiltModules.ofThisCheckout();

    @Test
    void descriptorsAreThoseOfTheCommittedText() throws IOException {
        String committed = Files.readString(modules.home().resolve(GOLDEN));
        String built = modules.graph();
        if (!built.equals(committed)) {
            Path proposal = Files.writeString(modules.home().resolve("modules/guard/target/module-graph.txt"), built);
            Set<String> added = new TreeSet<>(built.lines().toList());
            committed.lines().forEach(added::remove);
            Set<String> removed = new TreeSet<>(committed.lines().toList());
            built.lines().forEach(removed::remove);
            fail(
                    "the module graph changed: new %s, gone %s. If that is meant, write a decision record and run: cp %s %s"
                            .formatted(added, removed, modules.home().relativize(proposal), GOLDEN));
        }
    }

    @Test
    void edgesFollowTheFlow() {
        modules.descriptors().forEach((folder, descriptor) -> {
            Set<String> allowed = reachable(folder);
            for (String required : edges(descriptor)) {
                assertTrue(
                        allowed.contains(required),
                        () -> folder + " requires " + required + ", may require only " + allowed);
            }
        });
    }

    @Test
    void everyFolderIsTheModuleOfItsName() {
        modules.descriptors().forEach((folder, descriptor) -> assertEquals("layerwise." + folder, descriptor.name()));
    }

    @Test
    void everyPackageBeginsWithItsModule() {
        modules.descriptors().values().forEach(descriptor -> {
            for (String name : descriptor.packages()) {
                assertTrue((name + ".").startsWith(descriptor.name() + "."), name + " in " + descriptor.name());
            }
        });
    }

    @Test
    void nothingIsOpenedAndNothingInternalExported() {
        modules.descriptors().values().forEach(descriptor -> {
            assertFalse(descriptor.isOpen(), descriptor.name());
            assertEquals(Set.of(), descriptor.opens(), descriptor.name());
            assertEquals(
                    List.of(),
                    descriptor.exports().stream()
                            .map(ModuleDescriptor.Exports::source)
                            .filter(name -> name.contains("internal"))
                            .toList());
        });
    }

    private static Set<String> edges(ModuleDescriptor descriptor) {
        return descriptor.requires().stream()
                .map(Requires::name)
                .filter(name -> name.startsWith("layerwise."))
                .map(name -> name.substring("layerwise.".length()))
                .collect(Collectors.toSet());
    }

    private static Set<String> reachable(String folder) {
        Set<String> reached = new TreeSet<>();
        for (String next : PLAN.getOrDefault(folder, Set.of())) {
            reached.add(next);
            reached.addAll(reachable(next));
        }
        return reached;
    }
}
