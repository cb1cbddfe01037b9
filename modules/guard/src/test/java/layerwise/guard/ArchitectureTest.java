package layerwise.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class ArchitectureTest {
    private static final BuiltModules MODULES = BuiltModules.ofThisCheckout();
    private static final JavaClasses CLASSES =
            new ClassFileImporter().importPaths(MODULES.classes().values());

    private static final JavaClasses OFFENDER =
            new ClassFileImporter().importClasses(Offender.class, Offender.NameManager.class);

    static final List<ArchRule> RULES_OF_ONE_CLASS = List.of(
            Rules.ONLY_PROGRAMS_MEET_THE_STANDARD_STREAMS,
            Rules.NOTHING_DECLARES_THROWABLE,
            Rules.NOTHING_THROWS_A_BARE_EXCEPTION,
            Rules.ONLY_NATIVE_MODULES_CALL_RESTRICTED_METHODS,
            Rules.NAMES_SAY_WHAT_A_CLASS_IS);

    /** A reader that skips what it cannot read would let every rule pass. */
    @Test
    void everyClassFileOfEveryModuleIsSeen() throws IOException {
        for (Path folder : MODULES.classes().values()) {
            try (Stream<Path> files = Files.walk(folder)) {
                Set<String> names = files.map(folder::relativize)
                        .map(Path::toString)
                        .filter(name -> name.endsWith(".class") && !name.endsWith("-info.class"))
                        .map(name -> name.replace('/', '.').replaceFirst("\\.class$", ""))
                        .collect(Collectors.toCollection(TreeSet::new));
                names.removeAll(CLASSES.stream().map(JavaClass::getName).toList());
                assertEquals(Set.of(), names, "not read from " + folder);
            }
        }
    }

    @Test
    void packagesHaveNoCycles() {
        Rules.PACKAGES_HAVE_NO_CYCLES.check(CLASSES);
    }

    @ParameterizedTest
    @FieldSource("RULES_OF_ONE_CLASS")
    void everyClassKeepsTheRule(ArchRule rule) {
        rule.check(CLASSES);
    }

    @ParameterizedTest
    @FieldSource("RULES_OF_ONE_CLASS")
    void theRuleBites(ArchRule rule) {
        assertTrue(rule.evaluate(OFFENDER).hasViolation(), rule.getDescription());
    }
}
